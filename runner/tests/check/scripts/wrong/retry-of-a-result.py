# expect: 2:7 error invalid-argument-type `bool`
retry(machine.is_up())

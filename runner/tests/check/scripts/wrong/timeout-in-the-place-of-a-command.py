# expect: 2:28 error invalid-argument-type `str`
machine.succeed("sleep 5", 10)

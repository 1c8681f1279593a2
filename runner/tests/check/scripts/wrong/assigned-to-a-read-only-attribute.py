# expect: 2:1 error invalid-assignment `early`
machine.early = machine

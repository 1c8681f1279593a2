# expect: 2:17 error invalid-syntax “
machine.succeed(“true”)

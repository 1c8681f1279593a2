# expect: 2:24 error invalid-syntax
machine.succeed("true"))

# expect: 3:1 error invalid-syntax
machine.succeed("true"
machine.succeed("false")

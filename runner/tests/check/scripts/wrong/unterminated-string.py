# expect: 2:17 error invalid-syntax quote
machine.succeed("true)
machine.succeed("false")

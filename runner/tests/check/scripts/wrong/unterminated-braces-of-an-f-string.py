# expect: 3:29 error invalid-syntax quote
name = "x"
machine.succeed(f"echo {name")

# expect: 3:30 error invalid-syntax unterminated
name = "x"
machine.succeed(f"echo {name})

# expect: 2:28 error invalid-syntax expression
machine.succeed(f"echo {1 +}")

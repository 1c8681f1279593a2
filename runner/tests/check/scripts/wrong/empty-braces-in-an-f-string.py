# expect: 2:25 error invalid-syntax expression
machine.succeed(f"awk '{} 1' /etc/passwd")

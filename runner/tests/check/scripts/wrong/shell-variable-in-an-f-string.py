# expect: 2:26 error unresolved-reference `USER`
machine.succeed(f"echo ${USER}")

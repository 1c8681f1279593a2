# expect: 2:17 error invalid-argument-type `list[str]`
machine.succeed(["echo", "hello"])

# expect: 3:17 error invalid-argument-type `Literal[b"true"]`
# expect: 4:22 error invalid-argument-type
machine.succeed(b"true")
machine.send_console(b"root")

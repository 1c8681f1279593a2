# expect: 2:36 error invalid-syntax `timeout`
machine.succeed("true", timeout=3, timeout=4)

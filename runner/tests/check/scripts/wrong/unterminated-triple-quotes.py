# expect: 3:17 error invalid-syntax quote
machine.succeed("true")
machine.succeed("""
    echo a
    echo b

# expect: 2:17 error invalid-syntax quote
machine.succeed('''echo a""")

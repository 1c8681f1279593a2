# expect: 3:5 error invalid-syntax `return`
if machine.execute("true")[0] != 0:
    return
machine.succeed("true")

# expect: 4:1 error invalid-syntax `except`
try:
    machine.succeed("true")
machine.succeed("false")

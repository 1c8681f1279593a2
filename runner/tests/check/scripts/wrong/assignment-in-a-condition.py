# expect: 3:11 error invalid-syntax `:`
status = 0
if status = 0:
    machine.succeed("true")

# expect: 2:12 error invalid-syntax `:`
def check()
    machine.succeed("true")


check()

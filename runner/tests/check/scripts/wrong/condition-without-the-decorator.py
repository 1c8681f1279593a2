# expect: 6:6 error invalid-context-manager
def alive():
    return machine.is_up()


with alive:
    machine.succeed("true")

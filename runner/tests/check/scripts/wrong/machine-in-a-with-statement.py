# expect: 2:6 error invalid-context-manager
with machine:
    machine.succeed("true")

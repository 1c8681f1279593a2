# expect: 2:6 error invalid-context-manager
with subtest:
    machine.succeed("true")

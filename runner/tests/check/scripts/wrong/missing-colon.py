# expect: 2:18 error invalid-syntax `:`
with subtest("x")
    machine.succeed("true")

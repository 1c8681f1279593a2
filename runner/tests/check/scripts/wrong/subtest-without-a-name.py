# expect: 2:6 error missing-argument `name`
with subtest():
    machine.succeed("true")

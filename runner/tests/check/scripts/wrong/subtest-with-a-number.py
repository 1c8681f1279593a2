# expect: 3:18 error invalid-argument-type `str`
for n in range(3):
    with subtest(n):
        machine.succeed("true")

# expect: 4:5 warning unreachable-code
with subtest("early"):
    exit()
    machine.succeed("false")

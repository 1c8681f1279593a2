# expect: 2:19 error too-many-positional-arguments
with subtest("a", "b"):
    machine.succeed("true")

# expect: 3:1 error invalid-syntax indented block
with subtest("x"):
machine.succeed("true")

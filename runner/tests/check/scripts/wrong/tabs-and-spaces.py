# expect: 4:1 error invalid-syntax
with subtest("mixed"):
    machine.succeed("true")
	machine.succeed("false")

# expect: 4:1 error invalid-syntax
if machine.is_up():
        machine.succeed("true")
	machine.succeed("false")

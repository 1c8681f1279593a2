def check(node):
	if node.is_up():
		node.succeed("true")
	else:
		node.start()


with subtest("tabs"):
	check(machine)

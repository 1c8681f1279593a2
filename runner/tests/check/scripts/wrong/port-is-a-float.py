# expect: 3:28 error invalid-argument-type
# expect: 4:22 error invalid-argument-type `int`
machine.wait_for_open_port(80.0)
machine.forward_port("8080", 80)

# expect: 7:16 error invalid-argument-type `int`
# expect: 8:1 error missing-argument `port`
def check(node: Machine, port: int) -> None:
    node.wait_for_open_port(port)


check(machine, "80")
check(machine)

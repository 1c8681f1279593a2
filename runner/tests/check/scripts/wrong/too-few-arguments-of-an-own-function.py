# expect: 7:1 error missing-argument `port`
# expect: 8:20 error too-many-positional-arguments
def check(node, port):
    node.wait_for_open_port(port)


check(machine)
check(machine, 80, 90)

# expect: 6:16 error unknown-argument `prot`
def check(node, port=80):
    node.wait_for_open_port(port)


check(machine, prot=8080)

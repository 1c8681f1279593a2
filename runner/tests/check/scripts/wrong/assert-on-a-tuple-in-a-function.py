# expect: 4:16 error assert-on-tuple
def check(node):
    with subtest("x"):
        assert (node.is_up(), "down"), "really"


check(machine)

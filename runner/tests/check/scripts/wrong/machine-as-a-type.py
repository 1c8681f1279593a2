# expect: 2:17 error invalid-type-form `Machine`
def check(node: machine):
    node.start()


check(machine)

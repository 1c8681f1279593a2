# expect: 2:17 error invalid-syntax node
def check(node, node):
    node.start()


check(machine, machine)

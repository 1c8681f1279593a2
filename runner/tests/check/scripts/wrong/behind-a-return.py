# expect: 4:5 warning unreachable-code
def check(node):
    return node.succeed("hostname")
    print("never")
    print("never, too")


check(machine)

# expect: 6:9 warning unreachable-code
# expect: 9:9 warning unreachable-code
def pick(node):
    if node.is_up():
        return "up"
        node.shutdown()
    else:
        raise ValueError("down")
        node.start()


pick(machine)

# machines: server
# expect: 6:10 error unresolved-attribute did you mean `wait_for_file`


def check(node: Machine):
    node.wait_for_files("/run/x")


check(server)

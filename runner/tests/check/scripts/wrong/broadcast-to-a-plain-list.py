# machines: server, client
# expect: 4:7 error unresolved-attribute `wait_for_unit`
nodes = [server, client]
nodes.wait_for_unit("multi-user.target")

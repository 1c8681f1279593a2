# machines: server, client
# expect: 3:22 error unknown-machine did you mean `client`
for node in (server, clinet):
    node.start()

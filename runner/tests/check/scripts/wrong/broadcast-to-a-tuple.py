# machines: server, client
# expect: 3:18 error unresolved-attribute `start`
(server, client).start()

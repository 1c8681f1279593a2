# machines: server, client
# expect: 5:22 warning unit-without-suffix multi-user.target
# expect: 6:22 warning unit-without-suffix network-online.target
# expect: 7:22 warning unit-without-suffix graphical.target
server.wait_for_unit("multi-user")
client.wait_for_unit("network-online")
client.wait_for_unit("graphical")

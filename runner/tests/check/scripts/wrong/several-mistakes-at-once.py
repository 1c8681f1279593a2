# machines: server, client
# expect: 11:8 error unresolved-attribute did you mean `wait_for_unit`
# expect: 12:1 error unknown-machine did you mean `client`
# expect: 13:22 warning unit-without-suffix multi-user.target
# expect: 14:1 warning ignored-status
# expect: 15:8 error assert-on-tuple
# expect: 16:31 error invalid-argument-type
# expect: 17:8 error ocr-not-enabled
# expect: 17:22 error invalid-regex
start_all()
server.wait_for_unti("nginx")
cliant.succeed("true")
client.wait_for_unit("multi-user")
client.execute("reboot")
assert (server.succeed("true"), "x")
server.wait_for_open_port(80, timeout="10")
client.wait_for_text("(")

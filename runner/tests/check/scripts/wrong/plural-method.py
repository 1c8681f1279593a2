# machines: server
# expect: 4:8 error unresolved-attribute did you mean `send_key`
# expect: 6:8 error unresolved-attribute did you mean `wait_until_succeeds`
server.send_keys("ret")
server.wait_for_unit("sshd")
server.wait_until_succeed("true")

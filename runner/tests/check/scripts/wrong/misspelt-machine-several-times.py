# machines: server, client
# expect: 4:1 error unknown-machine did you mean `server`
# expect: 5:1 error unknown-machine did you mean `server`
srever.start()
srever.wait_for_unit("nginx")
client.succeed("true")

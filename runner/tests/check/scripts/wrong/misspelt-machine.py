# machines: server, client
# expect: 4:1 error unknown-machine did you mean `client`
server.wait_for_unit("nginx")
cleint.succeed("curl -f http://server/")

# machines: server, client
# expect: 4:10 error invalid-argument-type
# expect: 4:34 error invalid-argument-type
parallel(server.succeed("true"), client.succeed("true"))

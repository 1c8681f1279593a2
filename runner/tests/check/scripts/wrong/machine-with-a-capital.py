# machines: server, client
# expect: 4:5 error unknown-machine did you mean `server`
with subtest("both"):
    Server.succeed("true")

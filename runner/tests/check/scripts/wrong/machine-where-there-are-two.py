# machines: server, client
# expect: 3:1 error unknown-machine `machine`
machine.succeed("true")

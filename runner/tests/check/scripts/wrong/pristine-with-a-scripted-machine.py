# machines: server, old
# scripted: old
# expect: 4:23 error wrong-machine-kind `old`
with pristine(server, old):
    server.succeed("true")

# machines: server, client
# expect: 7:9 warning unreachable-code
# expect: 9:5 warning unreachable-code
while True:
    for node in machines:
        continue
        node.succeed("true")
    break
    server.succeed("true")

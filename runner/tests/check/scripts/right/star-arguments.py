# machines: server, client
commands = ["mkdir -p /srv", "touch /srv/file"]
server.succeed(*commands)
server.succeed(*(f"echo {n}" for n in range(3)), timeout=5)
server.wait_until_succeeds("true", **{})


def everywhere(*nodes, command, **kwargs):
    return [node.succeed(command, **kwargs) for node in nodes]


def forward(*args, **kwargs):
    return everywhere(*args, **kwargs)


forward(server, client, command="true", timeout=3)
everywhere(*machines, command="true")
first, *middle, last = server.succeed("seq 5").split()
print(first, middle, last, [*middle, *commands], {**dict(a=1), "x": 1})
print(*commands, sep="\n")
both = (server, client)
group(*both).succeed("true")


def keyword_only(node, /, value=3, *, command="true"):
    return node.succeed(command) * value


keyword_only(server, command="hostname")

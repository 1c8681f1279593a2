# machines: server, client
(server if os.environ.get("X") else client).succeed("true")
[server, client][0].succeed("true")
next(iter(machines)).succeed("true")
(lambda: server)().succeed("true")
leader = next(m for m in machines if m.name == "server")
leader.succeed("true")
max(machines, key=lambda m: len(m.name)).succeed("true")
a, b = server, client
a, b = b, a
a.succeed("true")
b.succeed("true")
print(server == client, server is not client, hash(server), str(server), repr(client))


def pick(name: str) -> Machine:
    return {"server": server, "client": client}[name]


pick("server").succeed("true")
server.succeed("echo " + client.succeed("hostname").strip())

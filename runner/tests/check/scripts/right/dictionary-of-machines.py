# machines: server, client
nodes = {"server": server, "client": client}
for name, node in nodes.items():
    assert node.name == name
    node.wait_for_unit("multi-user.target")
nodes["server"].succeed("true")
roles = {server: "leader", client: "follower"}
for node, role in roles.items():
    node.succeed(f"set-role {role}")
spare = nodes.get("spare")
if spare is not None:
    spare.shutdown()
ports = dict(http=80, https=443)
for service, port in ports.items():
    server.wait_for_open_port(port)
addresses = {m.name: m.succeed("hostname -i").strip() for m in machines}
print(addresses["client"], list(nodes), max(ports.values()))
settings = {"a": 1, "b": "two", "c": [3], "d": {"e": None}}
settings["f"] = 4.5
print(settings)

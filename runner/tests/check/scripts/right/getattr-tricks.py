# machines: server, client
for method in ("succeed", "fail"):
    getattr(server, method)("true" if method == "succeed" else "false")
if hasattr(server, "qmp_client"):
    print("it has one")
check = getattr(client, "wait_for_unit", None)
if check:
    check("multi-user.target")
setattr(server, "role", "leader")
print(getattr(server, "role"))
methods = [name for name in dir(server) if name.startswith("wait_for_")]
print(len(methods), vars(server), type(server).__name__, callable(server.succeed))
run = server.succeed
run("true")
bound = {"up": server.start, "down": server.shutdown}
bound["down"]()
Machine.succeed(client, "true")
assert isinstance(server, Machine) and isinstance(client, BaseMachine)

# machines: server1, server2, client
for number in (1, 2):
    globals()[f"server{number}"].wait_for_unit("multi-user.target")
    eval(f"server{number}").succeed("true")
locals()["client"].succeed("true")
node = eval("client")
node.succeed("true")
exec("client.succeed('true')")
for name in ["server1", "server2"]:
    machine = globals()[name]
    machine.shutdown()
if "server3" in globals():
    print("there are three")

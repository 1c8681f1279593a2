# machines: server, client
start_all()
machines.wait_for_unit("multi-user.target")
before = server.snapshot()
server.succeed("rm -rf /var/lib/data")
server.restore(before)

both = snapshot(server, client)
print(both.machines)
restore(both)
everything = snapshot()
restore(everything)

with subtest("nothing is left behind"), pristine(server):
    server.succeed("touch /left-behind")
server.fail("test -e /left-behind")

with pristine(server, client) as saved:
    print(saved.machines)
with pristine():
    client.succeed("poweroff -f >&2 &")
whole = machines.snapshot()
machines.restore(whole)

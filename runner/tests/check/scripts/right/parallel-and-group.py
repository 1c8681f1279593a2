# machines: server, client, backup
import functools

first, second = parallel(lambda: server.succeed("hostname"), lambda: client.succeed("hostname"))
print(first, second)
parallel(server.shutdown, client.shutdown)
parallel(*[functools.partial(m.wait_for_unit, "multi-user.target") for m in machines])

fleet = group(server, client)
fleet.wait_for_unit("multi-user.target")
names = fleet.succeed("hostname")
assert [name.strip() for name in names] == ["server", "client"]
fleet.systemctl("start network-online.target")
machines.wait_for_open_port(22, timeout=60)
for status, output in machines.execute("uptime"):
    assert status == 0, output

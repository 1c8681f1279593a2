# machines: server, client, router
for node in [server, client]:
    node.systemctl("start network-online.target")
for node in server, client:
    node.wait_for_unit("network-online.target")
for machine in (server, client, router):
    machine.succeed("ip route >&2")
for node, address in [(server, "10.0.0.1"), (client, "10.0.0.2")]:
    node.succeed(f"ip addr | grep {address}")
for node, port in zip((server, client), (80, 443)):
    node.wait_for_open_port(port)
for source in machines:
    for target in machines:
        if source != target:
            source.succeed(f"ping -c 1 {target.name}")
for _ in range(3):
    router.succeed("true")

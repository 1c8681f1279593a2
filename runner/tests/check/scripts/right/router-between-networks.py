# machines: router, left, right
import ipaddress

start_all()

SIDES = {
    left: ipaddress.ip_network("10.1.0.0/24"),
    right: ipaddress.ip_network("10.2.0.0/24"),
}


def addresses(node, interface="eth1", version=4):
    out = node.succeed(f"ip -{version} -oneline addr show dev {interface}")
    for row in out.splitlines():
        for word in row.split():
            if "/" in word:
                yield ipaddress.ip_interface(word)


def address_of(node):
    for address in addresses(node):
        if address.ip in SIDES[node]:
            return address.ip
    raise Exception(f"{node.name} has no address on its side")


def counter(name):
    return int(router.succeed(f"nft -j list counter inet filter {name} | jq '.nftables[1].counter.packets'"))


with subtest("all are up"):
    for node in router, left, right:
        node.wait_for_unit("network.target")
    router.systemctl("start network-online.target")
    router.wait_for_unit("network-online.target")

with subtest("addresses are given out"):
    for node, network in SIDES.items():
        prefix = str(network.network_address).rsplit(".", 1)[0]
        node.wait_until_succeeds(f"ip -4 addr | grep -F {prefix}.", timeout=60)
        assert address_of(node) != network.broadcast_address

with subtest("names are resolved"):
    resolver = "resolvectl query" if "networkd" == "networkd" else "getent hosts"
    for node in SIDES:
        for other in SIDES:
            node.succeed(f"{resolver} {other.name}.lan")

with subtest("both sides by way of the router"):
    for source in SIDES:
        for target in SIDES:
            if source is target:
                continue
            source.wait_until_succeeds(f"ping -c 2 {address_of(target)}", timeout=30)
            route = source.succeed(f"tracepath -n {address_of(target)}")
            hops = [row for row in route.splitlines() if row.lstrip()[:1].isdigit()]
            assert len(hops) >= 2, "\n".join(hops)

with subtest("a cable is pulled"):
    right.block()
    status, out = left.execute(f"ping -c 1 -W 1 {SIDES[right][1]} && ping -c 1 -W 1 right")
    assert status == 1, out
    right.unblock()
    with left.nested("and put back"):
        left.wait_until_succeeds("ping -c 1 -W 1 right", timeout=30)

with subtest("what is refused is counted"):
    before = counter("refused")
    left.fail("nc -z -w 1 router 9999")
    after = counter("refused")
    assert after > before, f"{before} packets, then {after}"

with subtest("for those who read the log"):
    for command in ("ip -brief addr", "ip route show table all", "nft list ruleset"):
        router.log(f"--- {command}")
        router.succeed(f"{command} >&2")

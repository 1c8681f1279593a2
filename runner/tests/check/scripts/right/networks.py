# machines: router, client
print(vlan1.nr, vlan1.socket_dir)
for vlan in vlans:
    print(f"network {vlan.nr} lies in {vlan.socket_dir}")
assert [v.nr for v in vlans] == [1]
assert vlans[0] is vlan1
router.wait_for_unit("systemd-networkd")
client.succeed("ip addr show dev eth1")

# Networks of NixOS nodes: VLANs, interfaces by names of their own, a node without the user network, a root in memory.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-network";

  defaults = {
    networking.firewall.enable = false;
    virtualisation.memorySize = 512;
  };

  nodes = {
    client = {
      virtualisation.vlans = [
        1
        2
      ];
    };

    router = {
      virtualisation.interfaces = {
        inside = {
          vlan = 2;
          assignIP = true;
        };
        plain.vlan = 1;
      };
      virtualisation.qemu.networkingOptions = pkgs.lib.mkForce [ ];
      virtualisation.diskImage = null;
    };
  };

  testScript =
    { nodes, ... }:
    ''
      start_all()
      client.wait_for_unit("multi-user.target")
      router.wait_for_unit("multi-user.target")

      with subtest("machines know each other by name"):
          client.wait_until_succeeds("ping -c 1 router", timeout=60)
          router.wait_until_succeeds("ping -c 1 ${nodes.client.networking.primaryIPAddress} || ping -c 1 192.168.2.1", timeout=60)
          client.wait_until_succeeds("ping -6 -c 1 2001:db8:2::2", timeout=60)

      with subtest("interfaces have the names that they are given"):
          links = router.succeed("ls /sys/class/net").split()
          t.assertEqual(sorted(links), ["inside", "lo", "plain"])
          router.succeed("ip -4 -o addr show inside | grep -w 192.168.2.2/24")
          router.fail("ip -4 -o addr show plain | grep inet")
          client.succeed("ip -o link show eth0 && ip -o link show eth2")

      with subtest("a root in memory"):
          router.fail("test -e /dev/vdb")
          router.succeed("touch /written")
    '';
}

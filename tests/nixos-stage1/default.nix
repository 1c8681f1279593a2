# A test of the initrd itself: commands run there, until the script has the machine go on to its root.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-stage1";

  nodes.machine = {
    boot.initrd.systemd.enable = true;
    testing.initrdBackdoor = true;
  };

  testScript = ''
    with subtest("commands run in the initrd"):
        machine.wait_for_unit("initrd.target")
        machine.succeed("test -e /etc/initrd-release")
        machine.succeed("echo 'from the initrd' > /sysroot/left")

    with subtest("and in the system, from when the machine is there"):
        machine.switch_root()
        machine.wait_for_unit("multi-user.target")
        machine.fail("test -e /etc/initrd-release")
        t.assertEqual(machine.succeed("cat /left"), "from the initrd\n")
  '';
}

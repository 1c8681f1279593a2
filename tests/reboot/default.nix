# A reboot keeps what was written to a persistent disk, and nothing that was written to memory.
{ guests, vmTest }:
vmTest {
  name = "reboot";
  nodes = {
    keeps = guests.debian { root.persistentDisk.sizeMiB = 256; };
    forgets = guests.busybox { memory = 256; };
  };
  testScript = ''
    keeps.start(allow_reboot=True)
    forgets.start(allow_reboot=True)
    boots = {}
    for machine in machines:
        machine.succeed("echo kept > /root/file")
        boots[machine.name] = machine.succeed("cat /proc/sys/kernel/random/boot_id")

    with subtest("an orderly reboot"):
        keeps.wait_for_unit("multi-user.target")
        keeps.reboot()
        forgets.reboot()
        for machine in machines:
            t.assertNotEqual(machine.succeed("cat /proc/sys/kernel/random/boot_id"), boots[machine.name])
        t.assertEqual(keeps.succeed("cat /root/file"), "kept\n")
        forgets.fail("test -e /root/file")

    with subtest("a power failure after a sync"):
        keeps.succeed("echo written > /root/file", "sync")
        keeps.crash()
        keeps.start()
        t.assertEqual(keeps.succeed("cat /root/file"), "written\n")
  '';
}

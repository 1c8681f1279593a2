# A machine that was booted by another derivation goes on when it is started, and boots when it is started again.
{ guests, vmTest }:
vmTest {
  name = "snapshot";
  snapshot = true;
  fresh = [
    "machine-id"
    "ssh-host-keys"
  ];
  nodes.machine = guests.debian {
    cores = 2;
    layers = [ ./keys ];
    root.persistentDisk.sizeMiB = 256;
    disks = [ { sizeMiB = 16; } ];
  };
  testScript = ''
    import time

    t.assertFalse(machine.booted)
    before = time.time()
    machine.wait_for_unit("default.target")
    t.assertLess(time.time() - before, 6, "it has not booted")
    machine.wait_for_console_text("systemd.1.: Detected virtualization")
    boot = machine.succeed("cat /proc/sys/kernel/random/boot_id")

    with subtest("its clocks are right, and its identity is its own"):
        t.assertAlmostEqual(float(machine.succeed("date +%s.%N")), time.time(), delta=2)
        t.assertAlmostEqual(int(machine.succeed("cat /sys/class/rtc/rtc0/since_epoch")), time.time(), delta=2)
        kept = machine.succeed("journalctl --header | sed -n 's/^Machine ID: //p' | head -n 1").strip()
        t.assertNotIn(kept, ["", machine.succeed("cat /etc/machine-id").strip()])
        keys = machine.succeed("cat /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub").split("\n")
        t.assertEqual(len(set(keys) - {"", "of the image"}), 2)

    with subtest("its journal goes on"):
        machine.succeed("logger said-after-it-was-restored")
        log = driver.out_dir / "machines" / "machine" / "journal.log"
        retry(lambda last: "said-after-it-was-restored" in log.read_text())
        t.assertEqual(log.read_text().count("Started systemd-logind.service"), 1)

    with subtest("folders that host and machine share are there"):
        (machine.shared_dir / "file").write_text("from the host")
        t.assertEqual(machine.succeed("cat /tmp/shared/file; echo from the machine > /tmp/shared/reply"), "from the host")
        t.assertEqual((machine.shared_dir / "reply").read_text(), "from the machine\n")

    with subtest("what it writes is kept, and then it boots"):
        machine.succeed("echo kept > /root/file; echo 7 > /dev/vdb; sync")
        machine.shutdown()
        machine.start()
        t.assertEqual(machine.succeed("cat /root/file; head -n 1 /dev/vdb"), "kept\n7\n")
        t.assertNotEqual(machine.succeed("cat /proc/sys/kernel/random/boot_id"), boot)
  '';
}

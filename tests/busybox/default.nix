# A guest without systemd, bash or libraries: the agent asks for nothing of them.
{ guests, vmTest }:
vmTest {
  name = "busybox";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    t.assertEqual(machine.succeed("cat /proc/1/comm").strip(), "init")
    t.assertEqual(machine.execute("exit 3"), (3, ""))
    machine.fail("test -e /run/systemd")
    machine.succeed("nc -l -p 3000 -e cat > /dev/null 2>&1 &")
    machine.wait_for_open_port(3000)
    machine.succeed("(sleep 0.2; touch /tmp/late) &")
    machine.wait_for_file("/tmp/late")
    machine.screenshot("screen")
    t.assertGreater((driver.out_dir / "screen.png").stat().st_size, 100)
    machine.shutdown()
    t.assertFalse(machine.booted)
  '';
}

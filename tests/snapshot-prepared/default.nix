# Machines that a script has prepared run when the test's own script begins, all as they were at one moment.
{ guests, vmTest }:
vmTest {
  name = "snapshot-prepared";
  snapshot = true;
  prepare = ''
    client.start()
    server.start(allow_reboot=True)
    server.succeed("while true; do sleep 100000 | nc -l -p 3000 > /received; done > /dev/null 2>&1 &")
    ticks = "while true; do echo tick; sleep 0.2; done"
    client.succeed(f"({ticks}) | (while ! nc server 3000; do sleep 1; done) > /dev/null 2>&1 &")
    server.wait_until_succeeds("test $(wc -l < /received) -ge 3", timeout=60)
    server.succeed("head -c 8 /dev/urandom > /drawn")
  '';
  nodes = {
    client = guests.busybox { memory = 256; };
    server = guests.busybox { memory = 256; };
    third = guests.busybox { memory = 256; };
  };
  testScript = ''
    t.assertEqual([machine.booted for machine in machines], [True, True, False])
    t.assertEqual(server.succeed("test -s /drawn && cat /proc/uptime").count("."), 2)
    # The connection between the two goes on.
    before = int(server.succeed("wc -l < /received"))
    server.wait_until_succeeds(f"test $(wc -l < /received) -ge {before + 3}", timeout=60)
    third.succeed("ping -c 1 server")
    server.execute("reboot -f", check_return=False)
    server.connected = False
    server.succeed("! test -e /drawn")
  '';
}

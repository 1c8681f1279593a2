# A service on one machine is reached from another: where most people begin.
{ guests, vmTest }:
vmTest {
  name = "hello";
  nodes = {
    server = guests.debian { layers = [ ./server ]; };
    client = guests.debian { };
  };
  testScript = ''
    start_all()
    server.wait_for_unit("hello.service")
    server.wait_for_open_port(3000)

    with subtest("client reaches server"):
        out = client.succeed("echo ping | nc -N server 3000")
        t.assertIn("ping", out)

    with subtest("names and addresses are those of the network"):
        t.assertEqual(client.succeed("getent ahostsv4 server | head -n 1 | cut -d ' ' -f 1").strip(), "192.168.1.2")
        t.assertIn("192.168.1.1/24", client.succeed("ip -brief address show eth1"))
        server.succeed("ping -c 1 client")

    with subtest("files go in and come out"):
        server.copy_from_host("${./greeting.txt}", "/etc/greeting.txt")
        t.assertEqual(server.succeed("cat /etc/greeting.txt"), "Hello from the host\n")
        server.succeed("tr a-z A-Z < /etc/greeting.txt > /tmp/reply.txt")
        server.copy_from_machine("/tmp/reply.txt")
        t.assertEqual((driver.out_dir / "reply.txt").read_text(), "HELLO FROM THE HOST\n")

    client.wait_for_unit("multi-user.target")
    server.shutdown()
  '';
}

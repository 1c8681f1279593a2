# A mistake in the script itself.
{ guests, vmTest }:
vmTest {
  name = "fails-exception";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    ports = {"http": 80}
    machine.wait_for_open_port(ports["https"])
  '';
}

# A test that takes too long as a whole.
{ guests, vmTest }:
vmTest {
  name = "fails-timeout";
  globalTimeout = 20;
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    machine.wait_until_succeeds("test -e /never", timeout=3600)
  '';
}

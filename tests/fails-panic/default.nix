# A guest whose kernel panics: whoever waits for it is told so at once.
{ guests, vmTest }:
vmTest {
  name = "fails-panic";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    machine.succeed("echo c > /proc/sysrq-trigger")
  '';
}

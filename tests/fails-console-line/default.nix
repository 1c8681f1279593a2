# A line on the console that fails the test, whatever the script waits for. One like it is known, and does not.
{ guests, vmTest }:
vmTest {
  name = "fails-console-line";
  failOn = [ "something is [a-z]+" ];
  failOnExcept = [ "is known" ];
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    machine.succeed("echo something is known > /dev/console")
    machine.succeed("echo something is wrong > /dev/console; sleep 600")
  '';
}

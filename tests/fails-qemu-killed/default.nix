# A QEMU that ends under the test's hands.
{ guests, vmTest }:
vmTest {
  name = "fails-qemu-killed";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    import os
    import signal

    machine.succeed("true")
    os.kill(machine.pid or 0, signal.SIGKILL)
    machine.succeed("sleep 60")
  '';
}

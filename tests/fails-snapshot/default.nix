# A machine that cannot be saved is an error, where it has to be.
{ guests, vmTest }:
(vmTest {
  name = "fails-snapshot";
  snapshot = true;
  nodes.machine = guests.busybox {
    memory = 256;
    # Nobody can save the state of this device.
    qemuOptions = [
      "-device"
      "nvme,serial=1"
    ];
  };
  testScript = "machine.succeed('true')";
}).boot

# A machine that cannot be saved boots, where that may be.
{ guests, vmTest }:
vmTest {
  name = "snapshot-prefer";
  snapshot = "prefer";
  prepare = "machine.succeed('echo prepared > /state')";
  nodes.machine = guests.busybox {
    memory = 256;
    # Nobody can save the state of this device.
    qemuOptions = [
      "-device"
      "nvme,serial=1"
    ];
  };
  testScript = ''
    t.assertEqual(machine.succeed("cat /state"), "prepared\n")
  '';
}

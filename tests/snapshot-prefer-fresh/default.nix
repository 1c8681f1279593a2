# A machine that was restored, and then cannot be given keys of its own, is thrown away: another one boots and is prepared.
{ guests, vmTest }:
vmTest {
  name = "snapshot-prefer-fresh";
  snapshot = "prefer";
  # It has keys, and no program that makes others.
  fresh = [ "ssh-host-keys" ];
  prepare = "machine.succeed('echo prepared >> /state')";
  nodes.machine = guests.busybox {
    memory = 256;
    layers = [ ./keys ];
    root.persistentDisk.sizeMiB = 64;
  };
  testScript = ''
    t.assertEqual(machine.succeed("cat /state"), "prepared\n")
  '';
}

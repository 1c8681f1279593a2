# A full disk in the guest: the command says so, and so does the report.
{ guests, vmTest }:
vmTest {
  name = "fails-disk-full";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    machine.succeed("mkdir -p /small && mount -t tmpfs -o size=1m none /small")
    machine.succeed("dd if=/dev/zero of=/small/file bs=64k")
  '';
}

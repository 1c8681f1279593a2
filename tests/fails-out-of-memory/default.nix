# A process that the guest's kernel kills for its memory: the script only sees a command that fails.
{ guests, vmTest }:
vmTest {
  name = "fails-out-of-memory";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    machine.succeed("echo 1 > /proc/sys/vm/overcommit_memory")
    machine.succeed("dd if=/dev/zero of=/dev/null bs=1000M count=1")
  '';
}

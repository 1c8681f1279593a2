# A command that does not succeed: its status and its standard error are shown.
{ guests, vmTest }:
vmTest {
  name = "fails-assertion";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    def check(path):
        machine.succeed(f"cat {path}")

    with subtest("the file is there"):
        check("/no/such/file")
  '';
}

# A script that cannot be parsed.
{ guests, vmTest }:
vmTest {
  name = "fails-syntax";
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    start_all()
    if machine.succeed("true")
        print("a colon is missing")
  '';
}

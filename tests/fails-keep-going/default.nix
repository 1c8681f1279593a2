# A script that goes on after subtests that fail: all of them are told, and the test has failed.
{ guests, vmTest }:
vmTest {
  name = "fails-keep-going";
  keepGoing = true;
  nodes.machine = guests.busybox { memory = 256; };
  testScript = ''
    with subtest("a file is there"):
        machine.succeed("cat /no/such/file")
    with subtest("arithmetic"):
        assert 1 + 1 == 3, "it is two"
    with subtest("the machine still answers"):
        machine.succeed("true")
    print("the script came to its end")
  '';
}

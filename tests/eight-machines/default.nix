# Eight machines at once, each of which reaches every other; one VLAN does not reach into another.
{ guests, vmTest }:
let
  names = builtins.genList (number: "node${toString (number + 1)}") 8;
in
vmTest {
  name = "eight-machines";
  nodes = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = guests.busybox {
        memory = 128;
        vlans = if name == "node8" then [ 2 ] else [ 1 ];
      };
    }) names
  );
  testScript = ''
    start_all()
    *together, apart = machines
    for machine in together:
        for other in together:
            machine.succeed(f"ping -c 1 -W 20 {other.name}")
    together[0].fail(f"ping -c 1 -W 1 {apart.name}")
    t.assertEqual(len({machine.succeed("cat /sys/class/net/eth1/address") for machine in machines}), 8)
  '';
}

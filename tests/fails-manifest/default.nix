# A manifest of another hand, with a field that does not exist.
{ guests, vmTest }:
let
  test = vmTest {
    name = "fails-manifest";
    nodes.machine = guests.busybox { };
    testScript = "start_all()";
  };
  manifest = test.drvAttrs.manifest // {
    colour = "red";
  };
in
derivation (test.drvAttrs // { inherit manifest; })

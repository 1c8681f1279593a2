# Everything that a script can use, in real machines: for each name at least one case that goes well and one that fails.
# The cases are the table that the Python files make, in this order; a name that is missing in it fails the test, too.
{ guests, vmTest }:
{ restored }:
let
  parts = [
    ./table.py
    ./off.py
    ./driver.py
    ./modules.py
    ./logger.py
    ./attributes.py
    ./commands.py
    ./outputs.py
    ./shells.py
    ./units.py
    ./waits.py
    ./files.py
    ./consoles.py
    ./screen.py
    ./windows.py
    ./conditions.py
    ./qemu.py
    ./network.py
    ./efi.py
    ./snapshots.py
    ./power.py
    ./end.py
  ];
in
vmTest {
  name = if restored then "conformance-restored" else "conformance";
  enableOCR = true;
  globalTimeout = 1800;
  snapshot = restored;
  nodes = {
    # For nearly everything.
    debian = guests.debian {
      cores = 2;
      memory = 1536;
      layers = [ ./debian ];
    };
    # For what ends machines: it is back in a moment.
    small = guests.busybox {
      memory = 256;
      layers = [ ./small ];
    };
  };
  # Many of its cases are mistakes.
  skipTypeCheck = true;
  skipLint = true;
  testScript = builtins.concatStringsSep "\n" (
    [ "RESTORED = ${if restored then "True" else "False"}" ] ++ map builtins.readFile parts
  );
}

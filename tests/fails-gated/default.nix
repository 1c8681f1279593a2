# A test whose results are kept: they are built, and a gate tells how it has ended. The guest has a unit that fails.
{ guests, vmTest }:
vmTest {
  name = "fails-gated";
  results = "gated";
  nodes.machine = guests.debian { layers = [ ./debian ]; };
  testScript = ''
    with subtest("the machine boots"):
        machine.wait_for_unit("multi-user.target")
        machine.screenshot("booted")
    with subtest("all units are well"):
        machine.succeed("test \"$(systemctl is-system-running --wait)\" = running")
  '';
}

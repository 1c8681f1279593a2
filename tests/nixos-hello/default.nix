# A NixOS test as a project has it: nothing in it knows of vmtest.
{ pkgs }:
pkgs.nixosTest {
  name = "nixos-hello";
  nodes.machine =
    { pkgs, ... }:
    {
      systemd.services.helloNixosTests = {
        wantedBy = [ "multi-user.target" ];
        script = ''
          while true; do
            echo hello | ${pkgs.netcat}/bin/nc -lN 3000 || true
          done
        '';
      };
      networking.firewall.allowedTCPPorts = [ 3000 ];
    };
  testScript = ''
    machine.wait_for_unit("helloNixosTests.service")
    machine.wait_for_open_port(3000)
    t.assertEqual(machine.succeed("nc -N localhost 3000 < /dev/null"), "hello\n")
  '';
}

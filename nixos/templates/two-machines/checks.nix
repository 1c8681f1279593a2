{ pkgs }:
{
  server-and-client = pkgs.testers.runNixOSTest {
    name = "server-and-client";

    nodes = {
      server =
        { pkgs, ... }:
        {
          systemd.services.greeter = {
            wantedBy = [ "multi-user.target" ];
            script = ''
              while true; do
                echo hello | ${pkgs.netcat}/bin/nc -lN 3000 || true
              done
            '';
          };
          networking.firewall.allowedTCPPorts = [ 3000 ];
        };

      client =
        { pkgs, ... }:
        {
          environment.systemPackages = [ pkgs.netcat ];
        };
    };

    testScript = ''
      start_all()
      server.wait_for_unit("greeter.service")
      server.wait_for_open_port(3000)
      client.wait_for_unit("multi-user.target")

      with subtest("the client is greeted"):
          out = client.wait_until_succeeds("nc -N server 3000 < /dev/null", timeout=60)
          t.assertIn("hello", out)
    '';
  };
}

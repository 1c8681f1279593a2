{
  description = "A service and a test of it";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.vmtest.url = "github:nix-vmtest/nix-vmtest";

  outputs =
    {
      self,
      nixpkgs,
      vmtest,
    }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system}.extend vmtest.overlays.default;
    in
    {
      packages.${system}.default = pkgs.writeShellScriptBin "hello-server" ''
        while true; do
          echo hello | ${pkgs.netcat}/bin/nc -lN 3000 || true
        done
      '';

      nixosModules.default = {
        systemd.services.helloNixosTests = {
          wantedBy = [ "multi-user.target" ];
          serviceConfig.ExecStart = "${self.packages.${system}.default}/bin/hello-server";
        };
        networking.firewall.allowedTCPPorts = [ 3000 ];
      };

      checks.${system}.hello = pkgs.nixosTest {
        name = "hello-boots";
        nodes.machine = self.nixosModules.default;
        testScript = ''
          machine.wait_for_unit("helloNixosTests.service")
          machine.wait_for_open_port(3000)
        '';
      };
    };
}

{
  description = "A test whose machine is not NixOS";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.vmtest.url = "github:nix-vmtest/nix-vmtest";

  outputs =
    { nixpkgs, vmtest, ... }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
      inherit (pkgs) lib;

      # Any kernel with modules will do: nixpkgs' own, for instance.
      kernel = pkgs.linuxPackages.kernel;

      # The root file system of a Debian with systemd, as an uncompressed tar archive.
      # mmdebstrap --variant=essential --include=systemd-sysv,dbus,udev,kmod,iproute2 trixie debian.tar
      debian = ./debian.tar;
    in
    {
      checks.${system} = lib.optionalAttrs (builtins.pathExists debian) {
        debian = vmtest.lib.vmTest {
          name = "debian";
          tools = { inherit system; };
          nodes.machine = {
            kernel = {
              image = "${kernel}/bzImage";
              modules = "${lib.getOutput "modules" kernel}/lib/modules";
            };
            root.layers = [ { archive = debian; } ];
          };
          testScript = ''
            machine.wait_for_unit("multi-user.target")
            machine.succeed("grep -q trixie /etc/os-release")
          '';
        };
      };
    };
}

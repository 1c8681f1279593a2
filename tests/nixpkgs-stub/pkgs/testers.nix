# The ways to a test that packages offer.
{ lib, pkgs }:
let
  nixos = import ../nixos/lib { inherit lib; };
in
{
  runNixOSTest =
    module:
    nixos.runTest {
      _file = "pkgs.runNixOSTest implementation";
      imports = [
        (lib.setDefaultModuleLocation "the argument that was passed to pkgs.runNixOSTest" module)
      ];
      hostPkgs = pkgs;
      node.pkgs = pkgs.pkgsLinux;
    };

  nixosTest =
    test:
    let
      loaded = if builtins.isPath test then import test else test;
      python = import ../nixos/lib/testing-python.nix {
        inherit (pkgs.stdenv.hostPlatform) system;
        inherit pkgs;
        extraConfigurations = [ { nixpkgs.pkgs = lib.mkDefault pkgs.pkgsLinux; } ];
      };
    in
    python.simpleTest (lib.toFunction loaded pkgs);
}

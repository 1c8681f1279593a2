# A machine of a test that is a container: it evaluates, and nothing starts it.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  imports = [ ../guest-networking-options.nix ];

  config = {
    boot.isContainer = true;
    boot.kernel.enable = lib.mkDefault false;
    networking.useDHCP = lib.mkDefault false;
    system.build.nspawn = pkgs.runCommand "run-${config.system.name}-nspawn" {
      meta.mainProgram = "run-${config.system.name}-nspawn";
    } "echo 'the stub of nixpkgs starts no containers' >&2; exit 1";
  };
}

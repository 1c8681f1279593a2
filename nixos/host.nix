# For machines on which tests are evaluated and built: every `nix` command has builtins.vmTest.
{ config, lib, ... }:
let
  inherit (lib) mkEnableOption mkIf mkOption;
  inherit (lib.types) package;

  cfg = config.programs.nix-vmtest;
in
{
  options.programs.nix-vmtest = {
    enable = mkEnableOption "the Nix plugin that adds builtins.vmTest";

    plugin = mkOption {
      type = package;
      description = "The plugin, built for the version of Nix that this machine has.";
    };
  };

  config = mkIf cfg.enable {
    nix.settings = {
      plugin-files = [ "${cfg.plugin}/lib/libnix_vmtest_plugin.so" ];
      # Tests are built here, whatever else the machine has said that it can do.
      extra-system-features = [ "nixos-test" ];
    };
  };
}

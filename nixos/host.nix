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
      defaultText = "the plugin for `nix.package`, built by this machine's nixpkgs, which has to have Rust 1.95";
      description = "The plugin; it works with the version of Nix that it was built with, and with no other.";
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

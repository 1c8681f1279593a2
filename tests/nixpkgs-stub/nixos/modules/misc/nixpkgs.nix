# The packages of the configuration.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;

  platform = mkOption {
    type = types.either types.str types.attrs;
    apply = lib.systems.elaborate;
    description = "A platform.";
  };
in
{
  options.nixpkgs = {
    pkgs = mkOption {
      type = types.pkgs;
      default = import ../../.. {
        inherit (cfg) config overlays system;
        inherit (lib.trivial) release;
      };
      defaultText = "made from the other options";
      description = "The packages. Other options of `nixpkgs` do not matter then, except for overlays.";
    };
    config = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Configuration of nixpkgs.";
    };
    overlays = mkOption {
      type = types.listOf types.raw;
      default = [ ];
      description = "Overlays on the packages.";
    };
    hostPlatform = platform // {
      default = cfg.system;
    };
    buildPlatform = platform // {
      default = cfg.system;
    };
    localSystem = platform // {
      default = cfg.system;
    };
    crossSystem = mkOption {
      type = types.nullOr types.attrs;
      default = null;
      description = "The stub knows no other.";
    };
    system = mkOption {
      type = types.str;
      default = if options.nixpkgs.hostPlatform.highestPrio < 1500 then cfg.hostPlatform.system else builtins.currentSystem or "x86_64-linux";
      defaultText = "that of the evaluation";
      description = "The system in Nix's words.";
    };
    flake.source = mkOption {
      type = types.nullOr (types.either types.str types.path);
      default = null;
      description = "Where a flake has the packages from.";
    };
  };

  config._module.args.pkgs =
    # Weak enough for a configuration that sets its own.
    lib.mkOverride lib.modules.defaultOverridePriority (
      if options.nixpkgs.pkgs.highestPrio < 1500 && cfg.overlays != [ ] then
        cfg.pkgs.appendOverlays cfg.overlays
      else
        cfg.pkgs
    );
}

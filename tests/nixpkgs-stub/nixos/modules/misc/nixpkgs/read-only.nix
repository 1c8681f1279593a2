# In place of `nixpkgs.nix` where the packages are given from outside and are the same for all.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nixpkgs;

  follows = value: mkOption {
    type = types.unique { message = "nixpkgs.* is read-only here"; } types.raw;
    readOnly = true;
    default = value;
    description = "As the packages have it.";
  };
in
{
  disabledModules = [ ../nixpkgs.nix ];

  options.nixpkgs = {
    pkgs = mkOption {
      type = types.pkgs;
      description = "The packages.";
    };
    config = follows cfg.pkgs.config;
    overlays = follows cfg.pkgs.overlays;
    hostPlatform = follows cfg.pkgs.stdenv.hostPlatform;
    buildPlatform = follows cfg.pkgs.stdenv.buildPlatform;
    localSystem = follows cfg.pkgs.stdenv.buildPlatform;
    crossSystem = follows null;
    system = follows cfg.pkgs.stdenv.hostPlatform.system;
    flake.source = follows null;
  };

  config._module.args.pkgs = lib.mkOverride lib.modules.defaultOverridePriority cfg.pkgs;
}

# A whole NixOS configuration. Base modules are what a specialisation that inherits nothing begins with.
evalConfigArgs@{
  system ? builtins.currentSystem,
  pkgs ? null,
  # Whoever gives them gets nothing of `system` and `pkgs`.
  baseModules ? null,
  extraArgs ? { },
  specialArgs ? { },
  modules,
  modulesLocation ? (builtins.unsafeGetAttrPos "modules" evalConfigArgs).file or null,
  check ? true,
  prefix ? [ ],
  lib ? import ../../lib,
  extraModules ? [ ],
}:
let
  pkgsModule = {
    _file = ./eval-config.nix;
    key = toString ./eval-config.nix + ":pkgs";
    config = lib.mkMerge [
      (lib.mkIf (system != null) { nixpkgs.system = lib.mkDefault system; })
      (lib.mkIf (pkgs != null) { _module.args.pkgs = lib.mkForce pkgs; })
    ];
  };

  ownBaseModules =
    if baseModules == null then import ../modules/module-list.nix ++ [ pkgsModule ] else baseModules;

  # For specialisations, and for configurations within configurations.
  argumentsModule = {
    _file = ./eval-config.nix;
    key = toString ./eval-config.nix + ":arguments";
    config._module.args = {
      noUserModules = known;
      inherit extraModules modules;
      baseModules = ownBaseModules;
      utils = import ./utils.nix { inherit lib; };
    }
    // extraArgs;
  };

  allUserModules =
    if modulesLocation == null then
      modules
    else
      map (lib.setDefaultModuleLocation modulesLocation) modules;

  known = (import ./eval-config-minimal.nix { inherit lib; }).evalModules {
    inherit prefix specialArgs;
    modules =
      ownBaseModules
      ++ extraModules
      ++ [
        argumentsModule
        { _module.check = check; }
      ];
  };

  withPackages =
    configuration:
    configuration
    // {
      inherit (configuration._module.args) pkgs;
      inherit lib extraArgs;
      extendModules = arguments: withPackages (configuration.extendModules arguments);
    };
in
withPackages (known.extendModules { modules = allUserModules; })

# The packages that everybody on the machine sees.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.environment;
in
{
  options = {
    environment = {
      systemPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages in /run/current-system/sw.";
      };
      defaultPackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages that are there unless somebody minds.";
      };
      corePackages = mkOption {
        type = types.listOf types.package;
        default = [
          pkgs.userland
          pkgs.which
        ];
        internal = true;
        description = "Packages that no system does without.";
      };
      pathsToLink = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Folders of packages that are linked.";
      };
      extraOutputsToInstall = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Outputs beside the usual ones.";
      };
    };
    system.path = mkOption {
      type = types.package;
      internal = true;
      description = "All of them together.";
    };
  };

  config = {
    environment.pathsToLink = [
      "/bin"
      "/etc/xdg"
      "/share"
    ];
    system.path = pkgs.buildEnv {
      name = "system-path";
      paths = lib.unique (cfg.systemPackages ++ cfg.defaultPackages ++ cfg.corePackages);
      inherit (cfg) pathsToLink extraOutputsToInstall;
      ignoreCollisions = true;
    };
  };
}

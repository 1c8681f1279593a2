# The kernel, its modules and its command line.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkIf
    mkOption
    types
    ;

  names = description: mkOption {
    type = types.listOf types.str;
    default = [ ];
    inherit description;
  };
in
{
  options = {
    boot = {
      kernel.enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the system has a kernel of its own.";
      };
      kernel.features = mkOption {
        type = types.attrsOf types.raw;
        internal = true;
        default = { };
        description = "What the kernel can do.";
      };
      kernelPackages = mkOption {
        type = types.raw;
        default = pkgs.linuxPackages;
        defaultText = "pkgs.linuxPackages";
        description = "The kernel, and what is built for it.";
      };
      kernelPatches = mkOption {
        type = types.listOf types.attrs;
        default = [ ];
        description = "The stub's kernel is there already: it takes none.";
      };
      kernelParams = mkOption {
        type = types.listOf (types.strMatching "([^\"[:space:]]|\"[^\"]*\")+");
        default = [ ];
        description = "Words of the command line.";
      };
      consoleLogLevel = mkOption {
        type = types.int;
        default = 4;
        description = "Which messages the console shows.";
      };
      vesa = mkOption {
        type = types.bool;
        default = false;
        internal = true;
        description = "Graphics at boot.";
      };
      extraModulePackages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages of further modules.";
      };
      extraModprobeConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Settings of modprobe.";
      };
      blacklistedKernelModules = names "Modules that are not loaded by themselves.";
      kernelModules = names "Modules that are loaded when the system starts.";
      initrd = {
        availableKernelModules = names "Modules that the initrd has.";
        kernelModules = names "Modules that the initrd loads.";
        includeDefaultModules = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the usual ones are among them.";
        };
      };
    };

    system = {
      modulesTree = mkOption {
        type = types.listOf types.path;
        internal = true;
        default = [ ];
        apply =
          trees:
          if lib.length trees == 1 then
            lib.head trees
          else
            pkgs.buildEnv {
              name = "kernel-modules";
              paths = trees;
            };
        description = "Where `lib/modules/<version>` is.";
      };
      requiredKernelConfig = mkOption {
        type = types.listOf types.raw;
        internal = true;
        default = [ ];
        description = "What the kernel must have been built with; the stub does not look.";
      };
    };

    lib = mkOption {
      type = types.attrsOf types.attrs;
      internal = true;
      default = { };
      description = "Functions that modules share.";
    };

    hardware = {
      firmware = mkOption {
        type = types.listOf types.package;
        default = [ ];
        apply =
          packages:
          pkgs.buildEnv {
            name = "firmware";
            paths = packages;
            postBuild = "mkdir -p $out/lib/firmware";
          };
        description = "Firmware for devices.";
      };
      enableRedistributableFirmware = mkOption {
        type = types.bool;
        default = false;
        description = "Whether firmware that may be passed on is there.";
      };
      enableAllFirmware = mkOption {
        type = types.bool;
        default = false;
        description = "Whether all firmware is there.";
      };
    };
  };

  config = mkIf config.boot.kernel.enable {
    system.build = {
      inherit (config.boot.kernelPackages) kernel;
    };
    system.modulesTree = [ config.boot.kernelPackages.kernel ] ++ config.boot.extraModulePackages;

    boot.kernelParams = [ "loglevel=${toString config.boot.consoleLogLevel}" ];
    boot.kernelModules = [
      "loop"
    ];

    lib.kernelConfig = {
      isYes = name: { inherit name; };
      isNo = name: { inherit name; };
      isModule = name: { inherit name; };
      isEnabled = name: { inherit name; };
      isDisabled = name: { inherit name; };
    };

    environment.etc."modules-load.d/nixos.conf".text = lib.concatMapStrings (
      name: "${name}\n"
    ) config.boot.kernelModules;
    environment.etc."modprobe.d/nixos.conf".text = ''
      ${lib.concatMapStrings (name: "blacklist ${name}\n") config.boot.blacklistedKernelModules}
      ${config.boot.extraModprobeConfig}
    '';
  };
}

# The system as one store path.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption optionalString types;
  cfg = config.system;

  kernelPath = "${config.system.build.kernel}/${cfg.boot.loader.kernelFile}";
  initrdPath = "${cfg.build.initialRamdisk}/${cfg.boot.loader.initrdFile}";
  hasKernel = config.boot.kernel.enable;
  hasInitrd = config.boot.initrd.enable && hasKernel;
  systemdStage1 = hasInitrd && config.boot.initrd.systemd.enable;
  label = "${cfg.nixos.distroName} ${cfg.nixos.codeName} ${cfg.nixos.label}";

  # Where the toplevel's own path is to be, since it is not known yet.
  bootSpec =
    builtins.toJSON {
      "org.nixos.bootspec.v1" = {
        system = pkgs.stdenv.hostPlatform.system;
        kernel = kernelPath;
        kernelParams = config.boot.kernelParams;
        inherit label;
        init = "@toplevel@/init";
        toplevel = "@toplevel@";
      }
      // lib.optionalAttrs hasInitrd { initrd = initrdPath; };
      "org.nixos.specialisation.v1" = { };
    };

  build = ''
    mkdir $out
    ${optionalString hasKernel ''
      ln -s ${kernelPath} $out/kernel
      ln -s ${cfg.modulesTree} $out/kernel-modules
      echo -n "$kernelParams" > $out/kernel-params
      ln -s ${config.hardware.firmware}/lib/firmware $out/firmware
    ''}
    ${optionalString hasInitrd ''
      ln -s ${initrdPath} $out/initrd
      ln -s ${cfg.build.initialRamdiskSecretAppender}/bin/append-initrd-secrets $out
    ''}
    ${
      if systemdStage1 then
        ''
          cp ${config.systemd.package}/lib/systemd/systemd $out/init
          substitute ${cfg.build.bootStage2} $out/prepare-root
        ''
      else
        "substitute ${cfg.build.bootStage2} $out/init"
    }
    cp ${cfg.build.activationScript} $out/activate
    ln -s ${cfg.build.etc}/etc $out/etc
    ln -s ${cfg.path} $out/sw
    ln -s ${config.systemd.package} $out/systemd
    echo -n "systemd ${toString config.systemd.package.version}" > $out/init-interface-version
    echo -n "$nixosLabel" > $out/nixos-version
    echo -n ${pkgs.stdenv.hostPlatform.system} > $out/system
    mkdir $out/specialisation
    ${lib.concatStrings (
      lib.mapAttrsToList (name: one: ''
        ln -s ${one.configuration.system.build.toplevel} $out/specialisation/${lib.escapeShellArg name}
      '') config.specialisation
    )}
    ${optionalString hasKernel ''echo "''${bootSpec//@toplevel@/$out}" > $out/boot.json''}
    echo "$extraDependencies" > $out/extra-dependencies
    ${cfg.systemBuilderCommands}
    ${cfg.extraSystemBuilderCmds}
  '';

  unchecked = pkgs.runCommand "nixos-system-${cfg.name}-${cfg.nixos.label}" {
    inherit (cfg) extraDependencies;
    inherit bootSpec;
    kernelParams = toString config.boot.kernelParams;
    nixosLabel = cfg.nixos.label;
    preferLocalBuild = true;
    passthru = {
      inherit config;
    };
  } ''
    substitute() {
      local text
      text=$(cat "$1"; echo .)
      printf %s "''${text%.}" | sed "s|@systemConfig@|$out|g" > "$2"
      chmod 555 "$2"
    }
    ${build}
  '';

  failed = map (one: one.message) (lib.filter (one: !one.assertion) config.assertions);
in
{
  options.system = {
    boot.loader = {
      kernelFile = mkOption {
        type = types.str;
        internal = true;
        default = config.boot.kernelPackages.kernel.target or pkgs.stdenv.hostPlatform.linux-kernel.target;
        description = "File of the kernel in its package.";
      };
      initrdFile = mkOption {
        type = types.str;
        internal = true;
        default = "initrd";
        description = "File of the initrd in its package.";
      };
      id = mkOption {
        type = types.str;
        internal = true;
        default = "";
        description = "Name of the boot loader.";
      };
    };
    systemBuilderCommands = mkOption {
      type = types.lines;
      internal = true;
      default = "";
      description = "What else is done to make the toplevel.";
    };
    extraSystemBuilderCmds = mkOption {
      type = types.lines;
      internal = true;
      default = "";
      description = "The same under its older name.";
    };
    extraDependencies = mkOption {
      type = types.listOf types.pathInStore;
      default = [ ];
      description = "Store paths that are kept with the system.";
    };
    checks = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "What is built before the system is.";
    };
    includeBuildDependencies = mkOption {
      type = types.bool;
      default = false;
      description = "The stub cannot.";
    };
  };

  config.system.build.toplevel =
    if failed != [ ] then
      throw "\nFailed assertions:\n${lib.concatMapStringsSep "\n" (message: "- ${message}") failed}"
    else
      lib.foldl' (value: warning: lib.warn warning value) unchecked config.warnings;
}

# The initrd: what is in it. How it boots is in `stage-1/`.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkOption types;
  inherit (pkgs) userland;
  cfg = config.boot.initrd;

  fileSystems = lib.filter utils.fsNeededForBoot config.system.build.fileSystems;

  modules = import ./stage-1/modules.nix { inherit pkgs; } {
    tree = config.system.modulesTree;
    modules = cfg.availableKernelModules ++ cfg.kernelModules;
  };

  # Names of disks and of interfaces, and drivers of what is found.
  udevRules = pkgs.runCommand "initrd-udev-rules" {
    inherit (cfg.services.udev) rules;
    passAsFile = [ "rules" ];
    preferLocalBuild = true;
  } ''
    mkdir $out
    for name in 60-persistent-storage 75-net-description 80-drivers 80-net-setup-link 99-systemd; do
      cp ${userland}/example/rules.d/$name.rules $out/
    done
    cp "$rulesPath" $out/99-local.rules
  '';

  # What of it is for either stage 1 alone.
  own =
    if cfg.systemd.enable then
      {
        files = lib.mapAttrs' (_name: file: lib.nameValuePair file.target file.source) (
          lib.filterAttrs (_name: file: file.enable) cfg.systemd.contents
        );
        storePaths = map (one: one.source) (lib.filter (one: one.enable) cfg.systemd.storePaths);
      }
    else
      import ./stage-1/scripted.nix {
        inherit
          config
          fileSystems
          lib
          pkgs
          ;
      };

  code = mkOption {
    type = types.lines;
    default = "";
    description = "Commands of stage 1.";
  };
  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  anything = default: description: mkOption {
    type = types.attrsOf types.anything;
    inherit default description;
  };
in
{
  options = {
    boot = {
      isContainer = switch false "Whether the system is a container.";
      resumeDevice = mkOption {
        type = types.str;
        default = "";
        description = "Where the system continues from.";
      };
      initrd = {
        enable = switch (!config.boot.isContainer) "Whether there is an initrd.";
        checkJournalingFS = switch true "Whether file systems with a journal are checked.";
        verbose = switch true "Whether it says what it does.";
        compressor = mkOption {
          type = types.raw;
          default = "gzip";
          description = "What it is compressed by.";
        };
        prepend = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Archives before it.";
        };
        secrets = mkOption {
          type = types.attrsOf (types.nullOr types.path);
          default = { };
          description = "Secrets in it.";
        };
        supportedFilesystems = mkOption {
          type = types.either (types.attrsOf types.bool) (types.listOf types.str);
          default = { };
          description = "File systems that it can mount.";
        };
        extraFiles = anything { } "Files in it.";
        preDeviceCommands = code;
        preLVMCommands = code;
        postDeviceCommands = code;
        postResumeCommands = code;
        postMountCommands = code;
        preFailCommands = code;
        extraUtilsCommands = code;
        luks = {
          devices = anything { } "Encrypted disks.";
          forceLuksSupportInInitrd = switch false "Whether it can open them anyway.";
        };
        network = {
          enable = switch false "Whether it has a network.";
          ssh.enable = switch false "Whether one can log in to it.";
        };
        services.udev.rules = mkOption {
          type = types.lines;
          default = "";
          description = "Rules of its udev.";
        };
      };
    };
  };

  config = lib.mkIf config.boot.initrd.enable {
    system.build = {
      initialRamdisk = import ./stage-1/make.nix { inherit pkgs; } {
        name = "initrd-linux";
        files = {
          "/lib" = "${modules}/lib";
          "/etc/modprobe.d/nixos.conf" = config.environment.etc."modprobe.d/nixos.conf".source;
          "/etc/udev/rules.d" = udevRules;
        }
        // own.files
        // lib.mapAttrs (_path: file: file.source) cfg.extraFiles;
        storePaths =
          map (path: "${userland}/${path}") [
            "bin/udevadm"
            "lib/systemd/systemd-udevd"
            # Loaded by name only, for modules.
            "lib/libkmod.so.2"
            "lib/liblzma.so.5"
          ]
          ++ own.storePaths;
      };
      initialRamdiskSecretAppender = pkgs.writeShellScriptBin "append-initrd-secrets" "true";
    };
    boot.initrd.availableKernelModules = lib.mkMerge [
      (lib.mkIf cfg.includeDefaultModules [
        "ext4"
        "virtio_blk"
      ])
      (lib.mkIf cfg.systemd.enable [ "autofs" ])
      # Of file systems that have a module of their name.
      (lib.intersectLists [ "erofs" "ext4" "overlay" "vfat" "virtiofs" ] (map (one: one.fsType) fileSystems))
    ];
  };
}

# What is mounted where.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib) mkOption types;

  mount =
    { name, config, ... }:
    {
      options = {
        mountPoint = mkOption {
          type = types.str;
          default = name;
          description = "Where.";
        };
        device = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "What.";
        };
        fsType = mkOption {
          type = types.nonEmptyStr;
          default = "auto";
          description = "Of which type.";
        };
        options = mkOption {
          type = types.listOf types.nonEmptyStr;
          default = [ "defaults" ];
          description = "How.";
        };
        depends = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "After what.";
        };
      };
      config.device = lib.mkIf (lib.elem config.fsType [ "tmpfs" "overlay" ]) (lib.mkDefault config.fsType);
    };

  fileSystem =
    { config, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether it is mounted.";
        };
        label = mkOption {
          type = types.nullOr types.nonEmptyStr;
          default = null;
          description = "Label of the device.";
        };
        noCheck = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it goes unchecked.";
        };
        autoFormat = mkOption {
          type = types.bool;
          default = false;
          description = "Whether an empty device is formatted.";
        };
        autoResize = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it grows to its device's size.";
        };
        neededForBoot = mkOption {
          type = types.bool;
          default = false;
          description = "Whether stage 1 mounts it.";
        };
        overlay = {
          lowerdir = mkOption {
            type = types.nullOr (types.nonEmptyListOf (types.either types.str types.pathInStore));
            default = null;
            description = "Folders below.";
          };
          upperdir = mkOption {
            type = types.nullOr types.str;
            default = null;
            description = "The folder that is written to.";
          };
          workdir = mkOption {
            type = types.nullOr types.str;
            default = null;
            description = "A folder for the kernel's own use.";
          };
        };
      };
      config = lib.mkMerge [
        (lib.mkIf (config.label != null) { device = lib.mkDefault "/dev/disk/by-label/${config.label}"; })
        (lib.mkIf config.autoFormat { options = [ "x-systemd.makefs" ]; })
        (lib.mkIf (utils.fsNeededForBoot config) { options = [ "x-initrd.mount" ]; })
        (lib.mkIf (config.overlay.lowerdir != null) {
          fsType = "overlay";
          options = [
            "lowerdir=${lib.concatStringsSep ":" config.overlay.lowerdir}"
          ]
          ++ lib.optionals (config.overlay.upperdir != null) [
            "upperdir=${config.overlay.upperdir}"
            "workdir=${config.overlay.workdir}"
          ];
        })
      ];
    };

  escape = lib.replaceStrings [ " " "\t" ] [ "\\040" "\\011" ];
  passOf =
    { fsType, mountPoint, noCheck, ... }:
    if noCheck || lib.elem fsType [ "9p" "bind" "none" "overlay" "tmpfs" "virtiofs" ] then
      "0"
    else if mountPoint == "/" then
      "1"
    else
      "2";
  line =
    fileSystem:
    lib.concatStringsSep " " [
      (escape fileSystem.device)
      (escape fileSystem.mountPoint)
      fileSystem.fsType
      (escape (lib.concatStringsSep "," (lib.unique fileSystem.options)))
      "0"
      (passOf fileSystem)
    ]
    + "\n";
  # Each after the one that it is mounted in; folders of an overlay have names that come before its own, in all that the stub
  # mounts.
  enabled = lib.sortOn (one: one.mountPoint) (
    lib.filter (one: one.enable) (lib.attrValues config.fileSystems)
  );

  # What systemd mounts in stage 1. It looks for a mount point below /sysroot by itself, but not for folders of an overlay.
  early = lib.filter (one: utils.fsNeededForBoot one && one.fsType != "9p") enabled;
  inRoot = map (folder: "/sysroot${folder}");
  optionsInRoot =
    { options, overlay, ... }:
    if overlay.lowerdir == null then
      options
    else
      lib.filter (option: builtins.match "(lowerdir|upperdir|workdir)=.*" option == null) options
      ++ [ "lowerdir=${lib.concatStringsSep ":" (inRoot overlay.lowerdir)}" ]
      ++ lib.optionals (overlay.upperdir != null) [
        "upperdir=/sysroot${overlay.upperdir}"
        "workdir=/sysroot${overlay.workdir}"
      ]
      ++ map (folder: "x-systemd.requires-mounts-for=${folder}") (inRoot overlay.lowerdir);
  initrdFstab = pkgs.writeText "initrd-fstab" (
    lib.concatMapStrings (
      one:
      line (
        one
        // {
          options = optionsInRoot one;
          noCheck = one.noCheck || !config.boot.initrd.checkJournalingFS;
        }
      )
    ) early
  );

  # The folders that an overlay writes to.
  overlayFolders =
    { mountPoint, overlay, ... }:
    let
      unit = utils.escapeSystemdPath "/sysroot${mountPoint}";
      folders = inRoot [
        overlay.upperdir
        overlay.workdir
      ];
    in
    lib.nameValuePair "rw-${unit}" {
      requiredBy = [ "${unit}.mount" ];
      before = [ "${unit}.mount" ];
      unitConfig = {
        DefaultDependencies = false;
        RequiresMountsFor = toString folders;
      };
      serviceConfig = {
        Type = "oneshot";
        ExecStart = "mkdir -p -m 0755 ${toString folders}";
      };
    };

  special = device: fsType: options: { inherit device fsType options; };
in
{
  options = {
    fileSystems = mkOption {
      type = types.attrsOf (
        types.submodule [
          mount
          fileSystem
        ]
      );
      default = { };
      description = "File systems by mount point.";
    };
    boot = {
      specialFileSystems = mkOption {
        type = types.attrsOf (types.submodule mount);
        default = { };
        internal = true;
        description = "File systems of the kernel.";
      };
      supportedFilesystems = mkOption {
        type = types.coercedTo (types.listOf types.str) (names: lib.genAttrs names (_: true)) (types.attrsOf types.bool);
        default = { };
        description = "File systems that there are programs for.";
      };
      devSize = mkOption {
        type = types.str;
        default = "5%";
        description = "Size of /dev.";
      };
      devShmSize = mkOption {
        type = types.str;
        default = "50%";
        description = "Size of /dev/shm.";
      };
      runSize = mkOption {
        type = types.str;
        default = "25%";
        description = "Size of /run.";
      };
    };
    system.fsPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      internal = true;
      description = "Programs of file systems.";
    };
  };

  config = {
    system.build.fileSystems = enabled;

    # Without folders of the host by 9p, which the toolbox's kernel cannot mount.
    environment.etc.fstab.text = ''
      # Written by the configuration.
      ${lib.concatMapStrings line (lib.filter (one: one.fsType != "9p") enabled)}
      ${lib.concatMapStrings (swap: "${swap.device} none swap defaults\n") config.swapDevices}
    '';

    boot.initrd.systemd = {
      storePaths = [ initrdFstab ];
      managerEnvironment.SYSTEMD_SYSROOT_FSTAB = initrdFstab;
      services = {
        initrd-parse-etc.environment.SYSTEMD_SYSROOT_FSTAB = initrdFstab;
      }
      // lib.listToAttrs (
        map overlayFolders (lib.filter (one: one.overlay.upperdir != null) early)
      );
    };

    boot.specialFileSystems = {
      "/proc" = special "proc" "proc" [ "nosuid" "noexec" "nodev" ];
      "/run" = special "tmpfs" "tmpfs" [ "nosuid" "nodev" "strictatime" "mode=755" "size=${config.boot.runSize}" ];
      "/dev" = special "devtmpfs" "devtmpfs" [ "nosuid" "strictatime" "mode=755" "size=${config.boot.devSize}" ];
      "/dev/shm" = special "tmpfs" "tmpfs" [ "nosuid" "nodev" "strictatime" "mode=1777" "size=${config.boot.devShmSize}" ];
      "/dev/pts" = special "devpts" "devpts" [ "nosuid" "noexec" "mode=620" "ptmxmode=0666" "gid=5" ];
      "/sys" = special "sysfs" "sysfs" [ "nosuid" "noexec" "nodev" ];
    };

    assertions = [
      {
        assertion = config.boot.isContainer || config.fileSystems ? "/" || !config.boot.loader.grub.enable;
        message = "The ‘fileSystems’ option does not specify your root file system.";
      }
    ];
  };
}

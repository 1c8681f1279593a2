# The initrd. Its options can be set and read; the file itself is empty.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  since = lib.versionAtLeast lib.trivial.release;

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
        systemd = {
          enable = switch (since "26.05") "Whether systemd runs in it.";
          emergencyAccess = mkOption {
            type = types.raw;
            default = false;
            description = "Whether it gives a shell when it fails.";
          };
          contents = anything { } "Files in it.";
          services = anything { } "Its services.";
          targets = anything { } "Its targets.";
          storePaths = mkOption {
            type = types.listOf types.anything;
            default = [ ];
            description = "Store paths in it.";
          };
          extraBin = anything { } "Its programs.";
          repart.enable = switch false "Whether it makes partitions.";
        }
        // (
          if since "25.11" then
            { settings.Manager = anything { } "Settings of its systemd."; }
          else
            { extraConfig = code; }
        );
      };
    };
  };

  config = lib.mkIf config.boot.initrd.enable {
    system.build = {
      initialRamdisk = pkgs.runCommand "initrd" { preferLocalBuild = true; } ''
        mkdir $out
        : > $out/initrd
      '';
      initialRamdiskSecretAppender = pkgs.writeShellScriptBin "append-initrd-secrets" "true";
    };
    boot.initrd.availableKernelModules = lib.mkIf config.boot.initrd.includeDefaultModules [
      "ext4"
      "virtio_blk"
    ];
  };
}

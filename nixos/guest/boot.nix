# How a node comes from power-on to its own init.
{
  config,
  lib,
  modulesPath,
  options,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib)
    mkForce
    mkIf
    mkMerge
    mkOption
    types
    ;

  cfg = config.virtualisation;

  needs = import ./needs.nix {
    inherit
      config
      lib
      options
      utils
      ;
    definitions = import ./definitions.nix { inherit lib modulesPath; };
  };

  words = import ./words.nix;

  # What decides which file systems there are must not follow from them, as the whole choice does.
  isScript = if isChosen then needs.script != [ ] else config.vmtest.boot == "script";

  # Nobody has said how the node boots.
  isChosen = options.vmtest.boot.highestPrio >= (lib.mkOptionDefault null).priority;

  # In place of what nixpkgs mounts for its own start script, all of it by 9p.
  mount =
    name:
    { target, ... }:
    lib.nameValuePair target (
      if name == "nix-store" then
        {
          device = mkForce "/dev/disk/by-label/nix-store";
          fsType = mkForce "erofs";
          options = mkForce [ "ro" ];
        }
      else
        {
          device = mkForce (if builtins.elem name words.ownFolders then "tmpfs" else name);
          fsType = mkForce (if builtins.elem name words.ownFolders then "tmpfs" else "virtiofs");
          options = mkForce [ "defaults" ];
          neededForBoot = mkForce false;
        }
    );
in
{
  _file = "nix-vmtest/nixos/guest/boot.nix";

  options.vmtest = {
    boot = mkOption {
      type = types.enum [
        "direct"
        "initrd"
        "script"
      ];
      default =
        if needs.script != [ ] then
          "script"
        else if needs.initrd != [ ] then
          "initrd"
        else
          "direct";
      defaultText = "`direct`, unless something of the node needs more";
      description = ''
        How the node comes from power-on to its own init.

        `direct`: vmtest's agent is the first process. It mounts root and store as the node's initrd would, and starts stage 2.
        There is no initrd of the node's own.

        `initrd`: the node's own initrd mounts them, and the agent follows.

        `script`: the start script of nixpkgs (`system.build.vm`) runs QEMU, with firmware, boot loader and whatever else it
        knows of. The agent comes by way of the root shell of the test instrumentation.
      '';
    };

    bootsBy = mkOption {
      type = types.str;
      readOnly = true;
      description = ''
        How the node does boot: as `vmtest.boot` says, but by its own initrd where `boot.initrd` has what is seen only when the node is
        evaluated for a direct boot.
      '';
    };

    bootReasons = mkOption {
      type = types.listOf types.str;
      readOnly = true;
      default = needs.script ++ needs.initrd ++ needs.late;
      description = "The options by which the node cannot boot directly.";
    };

    needs = mkOption {
      type = types.raw;
      internal = true;
      readOnly = true;
      default = needs;
      description = "The options by which the node needs its own initrd (`initrd`, `late`), or the start script of nixpkgs (`script`).";
    };
  };

  config = mkMerge [
    {
      vmtest.bootsBy =
        if isChosen && config.vmtest.boot == "direct" && needs.late != [ ] then
          "initrd"
        else
          config.vmtest.boot;
    }

    {
      # Releases before 25.05 link them into the system whether there is an initrd or not. Where there is one, these do not count.
      system.build = {
        initialRamdisk = lib.mkDefault pkgs.emptyDirectory;
        initialRamdiskSecretAppender = lib.mkDefault pkgs.emptyDirectory;
      };
    }

    (mkIf (!isScript) {
      virtualisation.fileSystems = lib.mapAttrs' mount cfg.sharedDirectories;

      # Beside what nixpkgs asks of a kernel for its virtual machines.
      system.requiredKernelConfig = map config.lib.kernelConfig.isEnabled [
        "EROFS_FS"
        "OVERLAY_FS"
        "VIRTIO_CONSOLE"
      ];
    })

    (mkIf (config.vmtest.boot == "direct") {
      # Neither evaluated nor built. `init` is the script of stage 2 then.
      boot.initrd.enable = mkForce false;
    })
  ];
}

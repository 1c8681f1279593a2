# What a node asks for that a direct boot does not give, by the boot that does: the names of options.
#
# Whether a start script boots the node decides which file systems it has, and whether it boots directly, whether it has an initrd.
# What is looked at here must not follow from what it decides.
{
  config,
  lib,
  options,
  # The user's definitions of an option.
  definitions,
  utils,
}:
let
  inherit (lib)
    attrByPath
    concatMap
    filter
    hasPrefix
    splitString
    ;

  words = import ./words.nix;

  cfg = config.virtualisation;
  opts = options.virtualisation;

  # Not every release has every option.
  value = option: default: attrByPath (splitString "." option) default config;

  differs = default: option: {
    inherit option;
    found = value option default != default;
  };
  isOn = differs false;

  isDefined = option: {
    inherit option;
    found = definitions.of (definitions.named options option) != [ ];
  };

  # What the agent mounts.
  isRoot =
    fileSystem:
    fileSystem.fsType == "tmpfs"
    || (fileSystem.fsType == "ext4" && fileSystem.device == cfg.rootDevice && !fileSystem.autoResize);
  isMounted =
    fileSystem:
    {
      "/" = isRoot fileSystem;
      "/nix/store" = true;
      "/nix/.ro-store" = true;
      "/nix/.rw-store" = fileSystem.fsType == "tmpfs";
    }
    .${fileSystem.mountPoint} or false;
  isWanting =
    fileSystem:
    (fileSystem.enable or true) && utils.fsNeededForBoot fileSystem && !isMounted fileSystem;

  named = needs: map (need: need.option) (filter (need: need.found) needs);

  # Switches that are all for a boot loader.
  bootLoaders = map isOn (
    map (name: "virtualisation.${name}") [
      "useBootLoader"
      "installBootLoader"
      "useBIOSBoot"
      "useEFIBoot"
      "useSecureBoot"
    ]
  );

  hasExtraOptions =
    image:
    let
      drive = if builtins.isInt image then { } else image.driveConfig or { };
    in
    removeAttrs (drive.deviceExtraOpts or { }) [ "serial" ] != { } || drive.driveExtraOpts or { } != { };

  # Those of nixpkgs are for its start script, which knows what it means by them.
  folders = removeAttrs cfg.sharedDirectories words.ownFolders;
in
{
  initrd = named (
    map isOn [
      "boot.initrd.network.enable"
      "system.nixos-init.enable"
      "system.etc.overlay.enable"
    ]
    ++ [
      (differs "" "boot.resumeDevice")
      {
        option = "virtualisation.directBoot.initrd";
        # Not by its definitions: among them is the default.
        found = opts.directBoot.initrd.highestPrio < (lib.mkOptionDefault null).priority;
      }
      {
        # Where it is the default, nobody has asked for it.
        option = "boot.initrd.systemd.enable";
        found =
          value "boot.initrd.systemd.enable" false && !(options.boot.initrd.systemd.enable.default or false);
      }
      {
        option = "virtualisation.writableStoreUseTmpfs";
        found = cfg.writableStore && !cfg.writableStoreUseTmpfs;
      }
    ]
    ++ map (fileSystem: {
      option = "virtualisation.fileSystems.\"${fileSystem.mountPoint}\"";
      found = isWanting fileSystem;
    }) (builtins.attrValues config.fileSystems)
  );

  # What can follow from whether there is an initrd, as `initrd` must not.
  late = named (
    map isDefined [
      "boot.initrd.preDeviceCommands"
      "boot.initrd.preLVMCommands"
      "boot.initrd.postDeviceCommands"
      "boot.initrd.postResumeCommands"
      "boot.initrd.postMountCommands"
      "boot.initrd.luks.devices"
      "boot.initrd.secrets"
      "boot.initrd.extraFiles"
      "boot.initrd.extraUtilsCommands"
      "boot.initrd.kernelModules"
      "boot.initrd.systemd.contents"
      "boot.initrd.systemd.mounts"
      "boot.initrd.systemd.paths"
      "boot.initrd.systemd.services"
      "boot.initrd.systemd.storePaths"
      "boot.initrd.systemd.targets"
    ]
  );

  script = named (
    bootLoaders
    ++ [
      (differs null "virtualisation.bios")
      (differs true "virtualisation.directBoot.enable")
      (differs true "virtualisation.useDefaultFilesystems")
      (isDefined "virtualisation.rootDevice")
      (isOn "virtualisation.tpm.enable")
      (isDefined "virtualisation.qemu.drives")
      (isDefined "virtualisation.qemu.package")
      (isDefined "virtualisation.qemu.forceAccel")
      (differs "virtio" "virtualisation.qemu.diskInterface")
      {
        option = "virtualisation.qemu.networkingOptions";
        # Without any, the machine is not on the user network.
        found = definitions.of opts.qemu.networkingOptions != [ ] && cfg.qemu.networkingOptions != [ ];
      }
      (isOn "virtualisation.useHostCerts")
      (differs { } "virtualisation.credentials")
      (isOn "testing.initrdBackdoor")
      {
        option = "virtualisation.emptyDiskImages";
        found = builtins.any hasExtraOptions cfg.emptyDiskImages;
      }
      {
        option = "virtualisation.forwardPorts";
        found = builtins.any (forward: forward.from == "guest") cfg.forwardPorts;
      }
      {
        option = "virtualisation.qemu.options";
        found = !builtins.all words.isPlain (
          concatMap (definition: definition.value) (definitions.of opts.qemu.options)
        );
      }
      {
        option = "virtualisation.sharedDirectories";
        found =
          !builtins.all (folder: hasPrefix "/" folder.source && words.isPlainPath folder.source) (
            builtins.attrValues folders
          );
      }
    ]
  );
}

# The options of a virtual machine that say what starts it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  since = lib.versionAtLeast lib.trivial.release;
  cfg = config.virtualisation;
  hostPkgs = cfg.host.pkgs;

  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
in
{
  options.virtualisation = {
    bootLoaderDevice = mkOption {
      type = types.path;
      default = "/dev/disk/by-id/virtio-root";
      description = "The disk that a boot loader is written to.";
    };
    bootPartition = mkOption {
      type = types.nullOr types.path;
      default =
        if cfg.useEFIBoot then
          "/dev/disk/by-label/ESP"
        else if cfg.useBIOSBoot or false then
          "/dev/disk/by-label/BOOT"
        else
          null;
      defaultText = "by how it boots";
      description = "The partition of /boot.";
    };
    directBoot = {
      enable = switch (!cfg.useBootLoader) "Whether QEMU loads the kernel.";
      initrd = mkOption {
        type = types.str;
        default = "${config.system.build.initialRamdisk}/${config.system.boot.loader.initrdFile}";
        defaultText = "that of the system";
        description = "The initrd that it loads.";
      };
    };
    useBootLoader = switch false "Whether a boot loader starts the system.";
    installBootLoader = switch (cfg.useBootLoader && cfg.useDefaultFilesystems) "Whether it is on the disk.";
    useEFIBoot = switch false "Whether the firmware is UEFI's.";
    useSecureBoot = switch false "Whether it starts only what is signed.";
    efi = {
      OVMF = mkOption {
        type = types.package;
        default = (hostPkgs.OVMF.override { secureBoot = cfg.useSecureBoot; }).fd;
        defaultText = "that of the host";
        description = "The firmware's package.";
      };
      firmware = mkOption {
        type = types.path;
        default = cfg.efi.OVMF.firmware;
        defaultText = "that of the package";
        description = "The firmware.";
      };
      variables = mkOption {
        type = types.path;
        default = cfg.efi.OVMF.variables;
        defaultText = "those of the package";
        description = "Its variables at first.";
      };
      keepVariables = switch cfg.useBootLoader "Whether they are those of the installed system's disk.";
    };
    tpm = {
      enable = switch false "Whether there is a TPM.";
      package = mkOption {
        type = types.package;
        default = hostPkgs.swtpm;
        defaultText = "that of the host";
        description = "The program that plays it.";
      };
      deviceModel = mkOption {
        type = types.str;
        default = if pkgs.stdenv.hostPlatform.isx86_64 then "tpm-tis" else "tpm-tis-device";
        defaultText = "by platform";
        description = "The device.";
      };
    }
    // lib.optionalAttrs (since "25.05") {
      provisioning = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Commands that set it up.";
      };
    };
    bios = mkOption {
      type = types.nullOr types.package;
      default = null;
      description = "Another firmware.";
    };
  }
  // lib.optionalAttrs (since "25.05") {
    useBIOSBoot = switch false "Whether the boot loader is the BIOS's.";
  };
}

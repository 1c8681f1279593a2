# Boot loaders, as far as configurations set them.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;

  switch = default: mkOption {
    type = types.bool;
    inherit default;
    description = "Whether it is so.";
  };
in
{
  options.boot.loader = {
    timeout = mkOption {
      type = types.nullOr types.int;
      default = 5;
      description = "Seconds that the menu is shown.";
    };
    supportsInitrdSecrets = mkOption {
      type = types.bool;
      internal = true;
      default = false;
      description = "Whether secrets can be added to the initrd.";
    };
    grub = {
      enable = switch (!config.boot.isContainer && !config.boot.loader.systemd-boot.enable);
      device = mkOption {
        type = types.str;
        default = "";
        description = "Where it is written to.";
      };
      devices = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Where it is written to.";
      };
      efiSupport = switch false;
      efiInstallAsRemovable = switch false;
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Further configuration.";
      };
    };
    systemd-boot = {
      enable = switch false;
      configurationLimit = mkOption {
        type = types.nullOr types.int;
        default = null;
        description = "How many systems are in the menu.";
      };
    };
    limine.enable = switch false;
    initScript.enable = switch false;
    generic-extlinux-compatible.enable = switch false;
    external = {
      enable = switch false;
      installHook = mkOption {
        type = types.path;
        description = "Program that installs it.";
      };
    };
    efi = {
      canTouchEfiVariables = switch false;
      efiSysMountPoint = mkOption {
        type = types.str;
        default = "/boot";
        description = "Where the EFI system partition is mounted.";
      };
    };
  };
}

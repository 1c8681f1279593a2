# Services that configurations and tests switch on or off, and that no guest of the stub runs.
{ lib, pkgs, ... }:
let
  inherit (lib) mkOption types;

  switch = default: mkOption {
    type = types.bool;
    inherit default;
    description = "Whether it runs. The stub has no such service.";
  };
  settings = mkOption {
    type = types.attrsOf types.anything;
    default = { };
    description = "Its settings.";
  };
in
{
  options = {
    # What needs a stage 1 of NixOS's.
    system.etc.overlay.enable = switch false;
    system.nixos-init.enable = switch false;

    services = {
      openssh = {
        enable = switch false;
        openFirewall = switch true;
        permitRootLogin = mkOption {
          type = types.raw;
          default = null;
          description = "Whether root may log in.";
        };
        inherit settings;
      };
      logrotate.enable = switch true;
      timesyncd.enable = switch true;
      qemuGuest = {
        enable = switch false;
        package = mkOption {
          type = types.package;
          default = pkgs.qemu_test.ga;
          defaultText = "that of QEMU";
          description = "The guest agent.";
        };
      };
      resolved.enable = switch false;
      nscd.enable = switch false;
      xserver.enable = switch false;
      displayManager.logToJournal = switch false;
    };
    hardware.graphics.enable = switch false;
    powerManagement = {
      enable = switch true;
      powerUpCommands = mkOption {
        type = types.lines;
        default = "";
        description = "What is done when the machine is switched on.";
      };
    };
    fonts.fontconfig.enable = switch false;
    xdg = {
      autostart.enable = switch false;
      icons.enable = switch false;
      mime.enable = switch false;
      sounds.enable = switch false;
    };
    programs = {
      command-not-found.enable = switch false;
      nano.enable = switch false;
      less.enable = switch true;
    };
  };
}

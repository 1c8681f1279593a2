# Types of what a virtual machine has several of: disks, folders, ports, credentials.
{ lib, pkgs }:
let
  inherit (lib) mkOption types;

  text = mkOption {
    type = types.str;
    default = "";
    description = "Text for QEMU.";
  };

  driveConfig = {
    driveExtraOpts = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Further words of -drive.";
    };
    deviceExtraOpts = mkOption {
      type = types.attrsOf types.str;
      default = { };
      description = "Further words of -device.";
    };
    name = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Name of the drive.";
    };
  };

  drive = types.submodule {
    options = driveConfig // {
      file = mkOption {
        type = types.str;
        description = "The image.";
      };
    };
  };

  emptyDisk = types.submodule {
    options = {
      size = mkOption {
        type = types.ints.positive;
        description = "Size in MiB.";
      };
      inherit driveConfig;
    };
  };

  sharedDirectory = types.submodule {
    options = {
      source = mkOption {
        type = types.str;
        description = "The host's folder, as a shell would write it.";
      };
      target = mkOption {
        type = types.path;
        description = "Where the machine sees it.";
      };
      securityModel = mkOption {
        type = types.enum [
          "passthrough"
          "mapped-xattr"
          "mapped-file"
          "none"
        ];
        default = "mapped-xattr";
        description = "What becomes of owners.";
      };
    };
  };

  forward = types.submodule {
    options = {
      from = mkOption {
        type = types.enum [
          "host"
          "guest"
        ];
        default = "host";
        description = "Who connects.";
      };
      proto = mkOption {
        type = types.enum [
          "tcp"
          "udp"
        ];
        default = "tcp";
        description = "By which protocol.";
      };
      host = {
        address = text;
        port = mkOption {
          type = types.port;
          description = "The host's port.";
        };
      };
      guest = {
        address = text;
        port = mkOption {
          type = types.port;
          description = "The guest's port.";
        };
      };
    };
  };

  credential = types.submodule {
    options = {
      source = mkOption {
        type = types.nullOr types.path;
        default = null;
        description = "Its file.";
      };
      text = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Its text.";
      };
      mechanism = mkOption {
        type = types.enum [
          "fw_cfg"
          "smbios"
        ];
        default = if pkgs.stdenv.hostPlatform.isx86 then "smbios" else "fw_cfg";
        description = "How it gets into the machine.";
      };
    };
  };
in
{
  inherit
    credential
    drive
    emptyDisk
    forward
    sharedDirectory
    ;
}

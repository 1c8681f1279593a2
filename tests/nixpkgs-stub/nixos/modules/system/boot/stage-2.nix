# From a mounted root to systemd. With systemd in stage 1 the first part is done by the initrd, and this script only prepares
# the root (`prepare-root`).
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption optionalString types;

  special = config.boot.specialFileSystems;
  earlyMounts = lib.concatMapStrings (
    { mountPoint, ... }@mount:
    ''
      specialMount ${lib.escapeShellArgs [
        mount.device
        mountPoint
        (lib.concatStringsSep "," mount.options)
        mount.fsType
      ]}
    ''
  ) (lib.sortOn (mount: mount.mountPoint) (lib.attrValues special));

  script = pkgs.writeShellScript "stage-2-init.sh" ''
    systemConfig=@systemConfig@
    export HOME=/root PATH=${lib.makeBinPath [ pkgs.userland ]}

    specialMount() {
      mountpoint -q "$2" && return
      mkdir -m 0755 -p "$2"
      mount -n -t "$4" -o "$3" "$1" "$2"
    }

    if [ "''${IN_NIXOS_SYSTEMD_STAGE1:-}" != true ]; then
      echo
      echo "<<< NixOS Stage 2 >>>"
      echo
      [ -n "''${container:-}" ] || mount -n -o remount,rw none /
    fi

    if [ ! -e /proc/1 ]; then
      ${earlyMounts}
    fi

    ${optionalString config.boot.readOnlyNixStore ''
      chown -f 0:30000 /nix/store
      chmod -f 1775 /nix/store
      if ! [[ $(findmnt --noheadings --output OPTIONS /nix/store) =~ (^|,)ro(,|$) ]]; then
        mount --bind /nix/store /nix/store
        mount -o remount,ro,bind /nix/store
      fi
    ''}

    mkdir -m 0755 -p /etc
    install -m 1777 -d /tmp
    mkdir -m 0700 -p /root
    mkdir -m 0755 -p /home

    echo "running activation script..."
    "$systemConfig/activate"

    ln -sfn "$systemConfig" /run/booted-system

    ${config.boot.postBootCommands}

    [ -e /etc/machine-id ] || touch /etc/machine-id

    if [ "''${IN_NIXOS_SYSTEMD_STAGE1:-}" != true ]; then
      echo "starting systemd..."
      exec ${config.boot.systemdExecutable} "$@"
    fi
  '';
in
{
  options.boot = {
    postBootCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Commands before systemd runs.";
    };
    systemdExecutable = mkOption {
      type = types.str;
      default = "/run/current-system/systemd/lib/systemd/systemd";
      description = "The program that becomes the init, with its arguments.";
    };
    readOnlyNixStore = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the store is mounted read-only.";
    };
    nixStoreMountOpts = mkOption {
      type = types.listOf types.nonEmptyStr;
      default = [
        "ro"
        "nodev"
        "nosuid"
      ];
      description = "How later releases say the same.";
    };
    extraSystemdUnitPaths = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further folders of units.";
    };
  };

  config.system.build.bootStage2 = script;
}

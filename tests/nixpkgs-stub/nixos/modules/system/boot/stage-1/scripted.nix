# Stage 1 as a script. It mounts what the system needs, and hands over to stage 2.
{
  config,
  lib,
  pkgs,
  # File systems that it mounts, in order.
  fileSystems,
}:
let
  inherit (lib) concatMapStrings;
  inherit (pkgs) userland;
  cfg = config.boot.initrd;

  call =
    function: mount:
    "${function} ${
      lib.escapeShellArgs [
        mount.device
        mount.mountPoint
        (lib.concatStringsSep "," mount.options)
        mount.fsType
      ]
    }\n";

  init = pkgs.writeScript "stage-1-init.sh" ''
    #!${userland}/bin/bash
    export PATH=${userland}/bin:${userland}/lib/systemd
    targetRoot=/mnt-root

    # To the kernel's log, which every console shows.
    say() { echo "<6>stage-1-init: $*" > /dev/kmsg; }
    info() { ${if cfg.verbose then ''say "$@"'' else ":"}; }

    fail() {
      say "stage 1 failed: $*"
      ${cfg.preFailCommands}
      if [ -n "''${shellOnFail-}" ]; then exec setsid bash < /dev/console > /dev/console 2>&1; fi
      # The kernel panics.
      exit 1
    }

    specialMount() {
      mkdir -m 0755 -p "$2"
      mount -n -t "$4" -o "$3" "$1" "$2"
    }
    ${concatMapStrings (call "specialMount") (
      lib.sortOn (mount: mount.mountPoint) (lib.attrValues config.boot.specialFileSystems)
    )}
    info "<<< ${config.system.nixos.distroName} Stage 1 >>>"

    # Paths by which programs of the toolbox know each other.
    ln -s ${userland}/bin /run/bin
    ln -s ${userland}/bin /run/sbin
    ln -s ${userland}/lib /run/lib
    ln -s /lib/modules /run/modules
    ln -s /proc/mounts /etc/mtab
    touch /etc/fstab /etc/initrd-release

    export stage2Init=/init
    for word in $(< /proc/cmdline); do
      case $word in
      init=*) stage2Init=''${word#init=} ;;
      boot.shell_on_fail) shellOnFail=1 ;;
      boot.trace | debugtrace) set -x ;;
      esac
    done

    echo ${userland}/bin/modprobe > /proc/sys/kernel/modprobe
    for module in ${toString cfg.kernelModules}; do
      info "loading module $module..."
      modprobe -q "$module"
    done

    ${cfg.preDeviceCommands}
    info "running udev..."
    ln -sfn /proc/self/fd /dev/fd
    ln -sfn /proc/self/fd/0 /dev/stdin
    ln -sfn /proc/self/fd/1 /dev/stdout
    ln -sfn /proc/self/fd/2 /dev/stderr
    systemd-udevd --daemon --resolve-names=never
    udevadm trigger --action=add
    udevadm settle --timeout=60
    ${cfg.preLVMCommands}
    ${cfg.postDeviceCommands}

    checkFS() {
      case $2 in
      ext[234]) ${if cfg.checkJournalingFS then "" else "return"} ;;
      *) return ;;
      esac
      info "checking $1..."
      e2fsck -p "$1" > /dev/null
      [ $? -lt 4 ] || fail "$1 has errors that must be repaired by hand"
    }

    # mountFS DEVICE MOUNTPOINT OPTIONS FSTYPE
    mountFS() {
      local device=$1 mountPoint=$targetRoot$2 fsType=$4 options=() words word said
      case $device in
      /dev/*)
        udevadm wait --timeout=60 --settle "$device" || fail "$device did not appear"
        checkFS "$device" "$fsType"
        ;;
      # A folder that is there already.
      /*) device=$targetRoot$device ;;
      esac
      IFS=, read -ra words <<< "$3"
      for word in "''${words[@]}"; do
        case $word in
        lowerdir=*)
          word=''${word//:/:$targetRoot}
          word=lowerdir=$targetRoot''${word#*=}
          ;;
        upperdir=* | workdir=*)
          word=''${word%%=*}=$targetRoot''${word#*=}
          mkdir -m 0700 -p "''${word#*=}"
          ;;
        esac
        options+=("$word")
      done
      info "mounting $1 on $2..."
      mkdir -m 0755 -p "$mountPoint"
      said=$(IFS=,; mount -n -t "$fsType" -o "''${options[*]}" "$device" "$mountPoint" 2>&1) || fail "$said"
    }

    ${cfg.postResumeCommands}
    mkdir -p $targetRoot
    ${concatMapStrings (
      mount:
      if mount.fsType == "9p" then
        ''
          say "the kernel has no 9p: ${mount.mountPoint} is an empty folder"
          mkdir -p "$targetRoot"${lib.escapeShellArg mount.mountPoint}
        ''
      else
        call "mountFS" mount
    ) fileSystems}
    ${cfg.postMountCommands}

    udevadm control --exit
    # What goes on into stage 2 says so by an `@` as the first character of its command line.
    for process in /proc/[0-9]*; do
      pid=''${process#/proc/}
      [ "$pid" != $$ ] || continue
      # The kernel's own have none.
      IFS= read -r -d "" name 2> /dev/null < "$process/cmdline" || continue
      case $name in
      @*) ;;
      *) kill -9 "$pid" ;;
      esac
    done

    [ -e "$targetRoot$stage2Init" ] || [ -L "$targetRoot$stage2Init" ] || fail "stage 2 ($stage2Init) is not there"
    # In stage 2 it is a link to all modules.
    rm /run/modules
    mkdir -m 0755 -p $targetRoot/{proc,sys,dev,run}
    info "starting stage 2 ($stage2Init)..."
    exec env -i ${userland}/bin/switch_root $targetRoot "$stage2Init"
    fail "stage 2 ($stage2Init) does not start"
  '';
in
{
  files = {
    "/init" = init;
    "/bin" = "${userland}/bin";
  };
  storePaths = map (name: "${userland}/bin/${name}") (import ./programs.nix);
}

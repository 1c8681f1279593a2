# Machines of the stub that are started by their own start script, as `system.build.vm` has it, with nothing of vmtest's: each
# attribute is a derivation that fails when its machine does not do what it should. How it is run is in README.md.
{ tools }:
let
  pkgsOf =
    release:
    import ./. {
      inherit (tools) system;
      inherit release tools;
    };

  # `expect TEXT` waits for a line of the root shell's, `run COMMAND` for the command to succeed.
  boot =
    {
      release ? "25.11",
      node,
      script,
    }:
    let
      pkgs = pkgsOf release;
      test = pkgs.testers.runNixOSTest {
        name = "boots";
        # VLANs are the driver's.
        nodes.machine.imports = [
          node
          { virtualisation.vlans = [ ]; }
        ];
        testScript = "";
      };
      inherit (test.nodes.machine.system.build) vm;
    in
    pkgs.runCommand "boots" { requiredSystemFeatures = [ "nixos-test" ]; } ''
      mkfifo shell.in shell.out
      exec 3<> shell.out 4<> shell.in
      start() {
        QEMU_OPTS="-display none -machine accel=tcg -serial file:$PWD/console.log" timeout 400 ${vm}/bin/run-machine-vm \
          -chardev pipe,id=shell,path=$PWD/shell -device virtio-serial -device virtconsole,chardev=shell "$@" &
        machine=$!
      }
      die() {
        tail -n 60 console.log || true
        echo "boots: $1" >&2
        exit 1
      }
      # Reads a line of the shell's into `line`.
      next() {
        local tries=40
        until IFS= read -r -t 5 line <&3; do
          kill -0 "$machine" 2> /dev/null || die "the machine has ended, before $1"
          [ $((tries -= 1)) -gt 0 ] || die "no answer: $1"
        done
      }
      expect() {
        until next "$1"; [[ $line == *"$1"* ]]; do echo "shell: $line"; done
      }
      run() {
        echo "if $1; then echo succeeded; else echo failed; fi" >&4
        until next "$1"; [ "$line" = succeeded ]; do
          [ "$line" != failed ] || die "failed: $1"
          echo "shell: $line"
        done
      }
      off() {
        echo "systemctl poweroff" >&4
        wait "$machine" || die "the machine ended with $?"
      }
      ${script}
      cp console.log $out
    '';

  usual = ''
    run 'test "$(systemctl is-system-running --wait)" = running'
    run 'test "$(readlink -f /run/booted-system)" = "$(readlink -f /run/current-system)"'
    run 'test "$(findmnt -no FSTYPE /nix/.ro-store)" = erofs'
  '';
in
{
  # Stage 1 as a script, with a root on a disk.
  scripted = boot {
    node = { };
    script = ''
      export NIX_DISK_IMAGE=$PWD/disk.qcow2
      start
      expect 'Spawning backdoor root shell...'
      ${usual}
      run 'test "$(findmnt -no FSTYPE /)" = ext4'
      run 'test "$(findmnt -nlo FSTYPE /nix/store | sort -u)" = overlay'
      run 'test "$(lsblk -no LABEL /dev/disk/by-id/virtio-root)" = nixos'
      run 'echo kept > /kept'
      off
      grep -q '<<< NixOS Stage 1 >>>' console.log
      # The disk outlives the machine.
      start
      expect 'Spawning backdoor root shell...'
      run 'grep -x kept /kept'
      off
    '';
  };

  # The same with a root in memory, and with what configurations make of both.
  memory = boot {
    release = "24.11";
    node = {
      virtualisation = {
        diskImage = null;
        writableStore = false;
        emptyDiskImages = [
          32
          64
        ];
      };
      boot.initrd = {
        kernelModules = [ "dm_mod" ];
        services.udev.rules = ''
          SUBSYSTEM=="net", ACTION=="add", ATTR{address}=="52:54:00:12:34:56", NAME="outside"
        '';
        preDeviceCommands = ''
          (exec -a @stays sleep 1000) &
          (exec -a goes sleep 1000) &
        '';
        postDeviceCommands = "ls /dev/disk/by-label > /run/labels";
        postMountCommands = "echo here > /mnt-root/there";
      };
    };
    script = ''
      mkdir state
      TMPDIR=$PWD/state USE_TMPDIR=1 QEMU_KERNEL_PARAMS=marker=1 QEMU_NET_OPTS=hostname=given start
      expect 'Spawning backdoor root shell...'
      ${usual}
      run 'grep -w marker=1 /proc/cmdline'
      run 'test "$(findmnt -no FSTYPE /)" = tmpfs'
      run 'test "$(lsblk -bdno SIZE /dev/vdb)" = $((32 << 20)) && test "$(lsblk -bdno SIZE /dev/vdc)" = $((64 << 20))'
      run '! touch /nix/store/new'
      run 'grep -x here /there'
      run 'ip link show outside'
      run 'test "$(cat /run/labels)" = nix-store'
      run 'test -d /sys/module/dm_mod'
      run 'pgrep -f ^@stays && ! pgrep -f ^goes'
      off
      ls state/store.img state/empty0.qcow2 state/xchg
    '';
  };

  # Stage 1 by systemd, which is the usual one since 26.05, with what a configuration adds to it.
  systemd = boot {
    release = "26.05";
    node =
      { pkgs, ... }:
      {
        virtualisation.fileSystems."/early" = {
          fsType = "tmpfs";
          neededForBoot = true;
        };
        boot.initrd = {
          kernelModules = [ "dm_mod" ];
          systemd = {
            contents."/etc/probe/word".text = "there";
            storePaths = [ "${pkgs.hello}/bin/hello" ];
            extraBin.greet = "${pkgs.hello}/bin/hello";
            targets.probed.requiredBy = [ "initrd.target" ];
            services.probe = {
              requiredBy = [ "probed.target" ];
              after = [ "initrd-fs.target" ];
              before = [
                "initrd.target"
                "probed.target"
              ];
              unitConfig.DefaultDependencies = false;
              serviceConfig.Type = "oneshot";
              script = ''
                greet -g "$(cat /etc/probe/word)" > /run/probe
                ${pkgs.hello}/bin/hello >> /run/probe
                cp /run/probe /sysroot/early/probe
                # Of no service, as what was there before systemd.
                for name in @stays goes; do
                  (exec -a $name sleep 1000) &
                  echo $! > /sys/fs/cgroup/init.scope/cgroup.procs
                done
              '';
            };
          };
        };
      };
    script = ''
      export NIX_DISK_IMAGE=$PWD/disk.qcow2
      start
      expect 'Spawning backdoor root shell...'
      ${usual}
      run 'test "$(findmnt -no FSTYPE /)" = ext4'
      run 'test "$(findmnt -nlo FSTYPE /nix/store | sort -u)" = overlay'
      run 'test "$(findmnt -no FSTYPE /early)" = tmpfs'
      run 'test "$(cat /early/probe)" = "$(echo there; echo "Hello, world!")" && cmp /early/probe /run/probe'
      run 'test -d /sys/module/dm_mod && modprobe dummy'
      run 'pgrep -f ^@stays && ! pgrep -f ^goes'
      run 'cmp /run/current-system/init /proc/1/exe && ! cmp -s /run/current-system/prepare-root /run/current-system/init'
      run 'journalctl -b -o cat -u initrd-switch-root.service | grep -q .'
      run 'touch /kept'
      off
      start
      expect 'Spawning backdoor root shell...'
      ${usual}
      run 'test -e /kept'
      off
    '';
  };

  # The same in a release that has to be told so, with a root in memory; a shell of stage 1 says when that ends.
  initrd = boot {
    node = {
      virtualisation = {
        diskImage = null;
        writableStore = false;
      };
      boot.initrd.systemd.enable = true;
      testing.initrdBackdoor = true;
    };
    script = ''
      start
      expect 'Spawning backdoor root shell...'
      run 'systemctl start initrd.target'
      run 'test -e /etc/initrd-release && test ! -e /run/current-system'
      run 'test "$(findmnt -no FSTYPE /sysroot)" = tmpfs && test "$(findmnt -no FSTYPE /sysroot/nix/store)" = erofs'
      run 'test "$(readlink /nixos-closure)/init" = "$(sed "s/.*init=\([^ ]*\).*/\1/" /proc/cmdline)"'
      run 'modprobe -n virtio_net'
      echo 'systemctl isolate --no-block initrd-switch-root.target > /dev/null 2>&1' >&4
      expect 'Spawning backdoor root shell...'
      ${usual}
      run 'test ! -e /etc/initrd-release'
      run 'test "$(findmnt -no FSTYPE /)" = tmpfs'
      run '! touch /nix/store/new'
      off
      grep -q 'systemd\[1\]:.*Switching root' console.log
    '';
  };

  # What the start script says of the networks of a test, and of a machine without a root shell.
  networks =
    let
      pkgs = pkgsOf "25.11";
      test = pkgs.testers.runNixOSTest {
        name = "networks";
        nodes.other = { };
        nodes.machine = {
          virtualisation.interfaces.lan.vlan = 7;
          testing.backdoor = false;
        };
        testScript = "";
      };
      inherit (test.nodes) machine;
    in
    assert !machine.systemd.services ? backdoor;
    assert test.nodes.other.systemd.services ? backdoor;
    pkgs.runCommand "networks" { } ''
      script=${machine.system.build.vm}/bin/run-machine-vm
      grep -w -e '-device virtio-net-pci,netdev=vlan1,mac=52:54:00:12:07:01' "$script"
      grep -F -e '-netdev vde,id=vlan1,sock="$QEMU_VDE_SOCKET_7"' "$script"
      touch $out
    '';
}

# Nodes that boot in each of the ways: by the agent, by an initrd of their own, by the start script of nixpkgs. They see each other.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-boots";

  defaults = {
    networking.firewall.enable = false;
    virtualisation.memorySize = 512;
  };

  nodes = {
    plain = { };

    # Nothing says how it boots: these commands do.
    own = {
      boot.initrd.postMountCommands = ''
        echo "by the initrd" > $targetRoot/left
      '';
      virtualisation = {
        emptyDiskImages = [ 32 ];
        sharedDirectories.given = {
          source = "${./.}";
          target = "/srv/given";
        };
      };
    };

    # systemd in the initrd, which then kills whatever it does not know.
    staged = {
      boot.initrd.systemd = {
        enable = true;
        services.probe = {
          wantedBy = [ "initrd.target" ];
          before = [ "initrd.target" ];
          serviceConfig.Type = "oneshot";
          script = "echo 'by a unit' > /run/left";
        };
      };
    };

    # A disk that only the start script knows how to attach.
    scripted =
      { pkgs, ... }:
      {
        virtualisation.qemu.options = [
          "-drive file=null-co://,if=none,id=shelled,format=raw"
          "-device virtio-blk-pci,drive=shelled,serial=\"$(echo of-a-shell)\""
        ];
        virtualisation.additionalPaths = [ pkgs.hello ];
        vmtest.qemuOptions = [
          "-device"
          "i6300esb"
        ];
      };
  };

  testScript =
    { nodes, ... }:
    ''
      own.start(allow_reboot=True)
      start_all()
      for machine in machines:
          machine.wait_for_unit("multi-user.target")

      with subtest("each has booted in its way"):
          t.assertEqual(plain.succeed("ls /left 2>/dev/null || echo none").strip(), "none")
          own.succeed("grep -w rdinit=/vmtest/agent /proc/cmdline")
          t.assertEqual(own.succeed("cat /left"), "by the initrd\n")
          t.assertEqual(staged.succeed("cat /run/left"), "by a unit\n")
          scripted.succeed("test -b /dev/disk/by-id/virtio-of-a-shell")
          scripted.succeed("grep -i 0x25ab /sys/bus/pci/devices/*/device")

      with subtest("all have the system of their configuration, and their disk"):
          for machine, system in [
              (plain, "${nodes.plain.system.build.toplevel}"),
              (staged, "${nodes.staged.system.build.toplevel}"),
              (scripted, "${nodes.scripted.system.build.toplevel}"),
          ]:
              t.assertEqual(machine.succeed("readlink /run/booted-system").strip(), system)
          for machine in machines:
              t.assertEqual(machine.succeed("findmnt -no SOURCE,FSTYPE /").split(), ["/dev/vda", "ext4"])
              t.assertEqual(machine.succeed("findmnt -no FSTYPE /nix/.ro-store").strip(), "erofs")
              machine.wait_until_succeeds("systemctl is-system-running | grep -x running", timeout=60)

      with subtest("machines see each other, whatever started them"):
          for machine, other in [(plain, "own"), (own, "scripted"), (scripted, "plain")]:
              machine.wait_until_succeeds(f"ping -c 1 {other}", timeout=60)

      with subtest("disks and folders of a node with an initrd of its own"):
          t.assertEqual(own.succeed("lsblk -bdno SIZE /dev/vdb").strip(), str(32 << 20))
          own.succeed("test -e /srv/given/default.nix")
          registration = own.succeed("grep -o 'regInfo=[^ ]*' /proc/cmdline").strip().removeprefix("regInfo=")
          own.succeed(f"grep -c ^/nix/store {registration}")

      with subtest("such a node reboots, and is found again"):
          own.succeed("echo kept > /kept")
          own.reboot()
          own.wait_for_unit("multi-user.target")
          t.assertEqual(own.succeed("cat /kept"), "kept\n")

      with subtest("and goes back to where it was"):
          snap = own.snapshot()
          own.succeed("touch /after")
          own.restore(snap)
          own.fail("test -e /after")

      with subtest("a start script's machine goes off, and is started again with its disk"):
          scripted.succeed("echo kept > /kept")
          scripted.shutdown()
          scripted.start()
          t.assertEqual(scripted.succeed("cat /kept"), "kept\n")
    '';
}

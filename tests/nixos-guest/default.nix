# What a node's options make of its machine, and what it finds in itself, as the NixOS test driver's machines do.
{ pkgs, vmTest }:
vmTest {
  inherit pkgs;
  name = "nixos-guest";

  nodes.machine =
    { pkgs, ... }:
    {
      virtualisation = {
        memorySize = 768;
        cores = 2;
        diskSize = 600;
        emptyDiskImages = [
          32
          64
        ];
        additionalPaths = [ pkgs.hello ];
        sharedDirectories.given = {
          source = "${./given}";
          target = "/srv/given";
        };
        qemu.options = [
          "-drive if=none,id=nvme,driver=null-co,size=1M"
          "-device nvme,serial=extra,drive=nvme"
        ];
        forwardPorts = [
          {
            from = "host";
            host.port = 8022;
            guest.port = 3022;
          }
        ];
      };
      boot.kernelParams = [ "vmtest.marker=1" ];
      boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
      users.users.alice = {
        isNormalUser = true;
        extraGroups = [ "wheel" ];
      };
      environment.systemPackages = [ pkgs.netcat ];
      environment.etc."greeting".text = "hello from etc\n";
      environment.variables.GREETING = "hello";
      systemd.services.answer = {
        wantedBy = [ "multi-user.target" ];
        script = ''
          while true; do
            echo answer | ${pkgs.netcat}/bin/nc -lN 3022 || true
          done
        '';
      };
    };

  testScript =
    { nodes, ... }:
    ''
      import socket

      machine.wait_for_unit("multi-user.target")

      with subtest("the system is the one of the configuration"):
          t.assertEqual(machine.succeed("readlink /run/current-system").strip(), "${nodes.machine.system.build.toplevel}")
          t.assertEqual(machine.succeed("readlink /run/booted-system").strip(), "${nodes.machine.system.build.toplevel}")
          t.assertEqual(machine.succeed("cat /etc/greeting"), "hello from etc\n")
          t.assertEqual(machine.succeed("hostname").strip(), "machine")
          machine.fail("systemctl --failed --no-legend | grep .")
          machine.wait_until_succeeds("systemctl is-system-running | grep -x running", timeout=60)

      with subtest("there is no root but that of NixOS"):
          t.assertEqual(machine.succeed("ls /usr").split(), ["bin"])
          machine.succeed("test -x /bin/sh && test ! -e /sbin")

      with subtest("memory, processors and disks are those of the options"):
          t.assertEqual(machine.succeed("nproc").strip(), "2")
          total = int(machine.succeed("awk '/MemTotal/ { print $2 }' /proc/meminfo"))
          t.assertTrue(650_000 < total < 790_000, total)
          sizes = machine.succeed("lsblk -bdno NAME,SIZE /dev/vda /dev/vdb /dev/vdc").split()
          t.assertEqual(sizes, ["vda", str(600 << 20), "vdb", str(32 << 20), "vdc", str(64 << 20)])
          machine.succeed("grep -w extra /sys/class/nvme/nvme0/serial")

      with subtest("the kernel's parameters are those of upstream"):
          words = machine.succeed("cat /proc/cmdline").split()
          for word in ["vmtest.marker=1", "init=${nodes.machine.system.build.toplevel}/init", "net.ifnames=0"]:
              t.assertIn(word, words)
          t.assertEqual(machine.succeed("sysctl -n net.ipv4.ip_forward").strip(), "1")

      with subtest("the store has the closure, and what the script names, and nothing else"):
          machine.succeed("${pkgs.hello}/bin/hello")
          t.assertEqual(machine.succeed("cat ${pkgs.writeText "named" "by the script"}"), "by the script")
          machine.fail("touch /nix/store/new")
          registration = machine.succeed("grep -o 'regInfo=[^ ]*' /proc/cmdline").strip().removeprefix("regInfo=")
          t.assertGreater(int(machine.succeed(f"grep -c ^/nix/store {registration}")), 3)
          machine.succeed(f"grep -x ${nodes.machine.system.build.toplevel} {registration}")

      with subtest("the root is a disk as upstream's"):
          t.assertEqual(machine.succeed("findmnt -no SOURCE,FSTYPE /").split(), ["/dev/vda", "ext4"])
          t.assertEqual(machine.succeed("findmnt -no FSTYPE /nix/.ro-store").strip(), "erofs")
          for link in ["by-label/nixos", "by-id/virtio-root"]:
              t.assertEqual(machine.succeed(f"readlink -f /dev/disk/{link}").strip(), "/dev/vda")
          # Neither is possible on an overlay.
          machine.succeed("dd if=/dev/zero of=/swap bs=1M count=8 && chmod 600 /swap && mkswap /swap && swapon /swap && swapoff /swap")
          machine.succeed(
              "mkdir -p /layers/{low,up,work,all} && echo below > /layers/low/file",
              "mount -t overlay overlay -o lowerdir=/layers/low,upperdir=/layers/up,workdir=/layers/work /layers/all",
              "grep -x below /layers/all/file && umount /layers/all",
          )

      with subtest("what upstream's machines have on USB"):
          machine.send_monitor_command("device_add usb-mouse,bus=usb-bus.0")

      with subtest("interfaces and names are those of the test's network"):
          machine.wait_until_succeeds("ip -4 -o addr show eth1 | grep -w 192.168.1.1/24", timeout=60)
          machine.succeed("ip -o link show eth1 | grep -i 52:54:00:12:01:01")
          machine.succeed("ip -o link show eth0")
          machine.succeed("grep -w machine /etc/hosts | grep -w 192.168.1.1")

      with subtest("users and root's environment"):
          machine.succeed("id alice | grep wheel")
          t.assertEqual(machine.succeed("echo $GREETING").strip(), "hello")
          t.assertEqual(machine.succeed("su - alice -c 'echo $GREETING'").strip(), "hello")
          t.assertEqual(machine.succeed("echo $HOME $USER; pwd").split(), ["/root", "root", "/tmp"])

      with subtest("a folder of the host"):
          t.assertEqual(machine.succeed("cat /srv/given/text"), "a file of the host's\n")

      with subtest("a port of the host leads to one of the machine"):
          machine.wait_for_unit("answer.service")


          # The service takes one connection at a time, and QEMU answers for it in between.
          def is_answered(_last):
              with socket.create_connection(("localhost", 8022), timeout=60) as connection:
                  return connection.recv(100) == b"answer\n"


          retry(is_answered, timeout_seconds=60)
    '';
}

# Nodes that a boot loader starts from their own disk: systemd-boot by UEFI, GRUB by UEFI, and GRUB by the BIOS. What is checked are things
# that only the boot loader can have done.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-bootloader";

  defaults =
    { lib, ... }:
    {
      virtualisation = {
        memorySize = 768;
        diskSize = 1536;
        useBootLoader = true;
      };
      boot.loader.timeout = 0;
      environment.etc.variant.text = lib.mkDefault "the system itself\n";
      specialisation.other.configuration.environment.etc.variant.text = "the other one\n";
    };

  nodes = {
    efi = {
      virtualisation.useEFIBoot = true;
      boot.loader.systemd-boot.enable = true;
    };

    grub =
      { pkgs, ... }:
      {
        virtualisation.useEFIBoot = true;
        boot.loader.grub.efiSupport = true;
        environment.systemPackages = [
          pkgs.efibootmgr
          pkgs.grub2
        ];
      };

    bios =
      { pkgs, ... }:
      {
        environment.systemPackages = [ pkgs.grub2 ];
      };
  };

  testScript =
    { nodes, ... }:
    ''
      OTHER = "nixos-generation-1-specialisation-other"
      LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
      OWN = "Kept-12345678-9abc-def0-1234-56789abcdef0"


      def variable(machine, name):
          """What a variable of the firmware's holds, after four bytes of attributes; text is UTF-16."""
          path = f"/sys/firmware/efi/efivars/{name}"
          return bytes.fromhex(machine.succeed(f"od -An -v -t x1 {path}"))[4:]


      def text(machine, name):
          return variable(machine, f"{name}-{LOADER}").decode("utf-16-le").rstrip("\0")


      def is_up(machine, variant):
          machine.wait_for_unit("multi-user.target")
          t.assertEqual(machine.succeed("cat /etc/variant"), f"{variant}\n")


      efi.start(allow_reboot=True)
      is_up(efi, "the system itself")

      with subtest("systemd-boot has started the system, from the disk"):
          t.assertIn("systemd-boot", text(efi, "LoaderInfo"))
          t.assertEqual(text(efi, "LoaderEntrySelected"), "nixos-generation-1.conf")
          t.assertRegex(efi.succeed("cat /proc/cmdline"), r"initrd=\\EFI\\nixos\\[^ ]*-initrd")
          t.assertEqual(efi.succeed("findmnt -no SOURCE,FSTYPE /boot").split(), ["/dev/vda1", "vfat"])
          t.assertEqual(efi.succeed("findmnt -no SOURCE,FSTYPE /").split(), ["/dev/vda2", "ext4"])
          t.assertRegex(efi.succeed("bootctl status --no-pager"), r"Product: *systemd-boot")
          t.assertEqual(efi.succeed("readlink /run/booted-system").strip(), "${nodes.efi.system.build.toplevel}")
          efi.wait_until_succeeds("systemctl is-system-running | grep -x running", timeout=60)

      with subtest("it does what the system asks it for, once"):
          efi.succeed(f"printf '\\7\\0\\0\\0kept' > /sys/firmware/efi/efivars/{OWN}")
          efi.succeed(f"bootctl set-oneshot {OTHER}.conf")
          efi.reboot()
          is_up(efi, "the other one")
          t.assertEqual(text(efi, "LoaderEntrySelected"), f"{OTHER}.conf")
          t.assertEqual(variable(efi, OWN), b"kept")

      with subtest("the system makes itself the default"):
          efi.succeed("/run/current-system/bin/switch-to-configuration boot")
          efi.reboot()
          is_up(efi, "the other one")
          t.assertEqual(text(efi, "LoaderEntrySelected"), "nixos-generation-1.conf")

      with subtest("the firmware's variables and the disk outlive the machine"):
          efi.shutdown()
          efi.start(allow_reboot=True)
          is_up(efi, "the other one")
          t.assertEqual(variable(efi, OWN), b"kept")
          efi.shutdown()

      bios.start(allow_reboot=True)
      grub.start(allow_reboot=True)

      for machine in [bios, grub]:
          with subtest(f"GRUB has started the system: {machine.name}"):
              machine.wait_for_console_text("GRUB starts nixos-generation-1\\b")
              is_up(machine, "the system itself")
              kernel = "/nix/store/" if machine is bios else "/kernels/"
              t.assertIn(f"BOOT_IMAGE={kernel}", machine.succeed("cat /proc/cmdline"))

      with subtest("by the firmware that the node says"):
          bios.fail("test -e /sys/firmware/efi")
          t.assertEqual(bios.succeed("findmnt -no SOURCE,FSTYPE /").split(), ["/dev/vda1", "ext4"])
          grub.fail(f"test -e /sys/firmware/efi/efivars/LoaderInfo-{LOADER}")
          t.assertRegex(grub.succeed("efibootmgr"), r"BootCurrent: [0-9A-F]{4}")
          t.assertEqual(grub.succeed("findmnt -no SOURCE,FSTYPE /boot").split(), ["/dev/vda1", "vfat"])

      for machine in [bios, grub]:
          with subtest(f"GRUB starts what it is told to, once: {machine.name}"):
              machine.succeed(
                  "grub-editenv /boot/grub/grubenv create",
                  f"grub-editenv /boot/grub/grubenv set next_entry={OTHER}",
              )
              machine.reboot()
              machine.wait_for_console_text(f"GRUB starts {OTHER}")
              is_up(machine, "the other one")
              t.assertEqual(machine.succeed("grub-editenv /boot/grub/grubenv list").strip(), "next_entry=")
    '';
}

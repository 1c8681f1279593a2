# A node that UEFI starts without a boot loader, with a TPM: the firmware is given the kernel by QEMU, and measures it.
{ pkgs }:
pkgs.testers.runNixOSTest {
  name = "nixos-firmware";

  nodes.machine =
    { pkgs, ... }:
    {
      virtualisation = {
        memorySize = 768;
        useEFIBoot = true;
        tpm = {
          enable = true;
          provisioning = ''
            tpm2_nvread -C o 0x1500016 > /dev/null 2>&1 || {
              tpm2_nvdefine -C o -s 8 -a 'ownerread|ownerwrite' 0x1500016
              printf 'by-host.' | tpm2_nvwrite -C o -i - 0x1500016
            }
          '';
        };
      };
      environment.systemPackages = [ pkgs.tpm2-tools ];
    };

  testScript = ''
    OWN = "/sys/firmware/efi/efivars/Kept-12345678-9abc-def0-1234-56789abcdef0"
    ENTRY = "tpm2_nvread -T device:/dev/tpmrm0 -C o -s 8 0x1500016"


    def register(number):
        return machine.succeed(f"cat /sys/class/tpm/tpm0/pcr-sha256/{number}").strip()


    machine.start(allow_reboot=True)
    machine.wait_for_unit("multi-user.target")

    with subtest("UEFI has started the kernel"):
        machine.succeed("dmesg | grep 'efi: EFI v2.* by .*EDK II'")
        t.assertEqual(machine.succeed("findmnt -no FSTYPE /sys/firmware/efi/efivars").strip(), "efivarfs")
        machine.fail("test -e /sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")

    with subtest("there is a TPM, and the firmware has measured into it"):
        machine.succeed("test -c /dev/tpm0 && test -c /dev/tpmrm0")
        t.assertEqual(machine.succeed("cat /sys/class/tpm/tpm0/tpm_version_major").strip(), "2")
        measured = [register(number) for number in (0, 2, 4)]
        t.assertNotIn("0" * 64, measured)
        t.assertEqual(register(16), "0" * 64)

    with subtest("it has what the host has put into it"):
        t.assertEqual(machine.succeed(ENTRY), "by-host.")

    with subtest("variables and TPM survive a reboot"):
        machine.succeed(f"printf '\\7\\0\\0\\0kept' > {OWN}")
        machine.succeed("printf by-guest | tpm2_nvwrite -T device:/dev/tpmrm0 -C o -i - 0x1500016")
        machine.reboot()
        machine.wait_for_unit("multi-user.target")
        t.assertEqual(machine.succeed(f"cat {OWN} | tail -c 4"), "kept")
        t.assertEqual(machine.succeed(ENTRY), "by-guest")
        t.assertEqual([register(number) for number in (0, 2, 4)], measured)

    with subtest("they outlive the machine, in whichever way it ends"):
        for end in [machine.shutdown, machine.crash]:
            end()
            machine.start()
            machine.wait_for_unit("multi-user.target")
            t.assertEqual(machine.succeed(f"cat {OWN} | tail -c 4"), "kept")
            t.assertEqual(machine.succeed(ENTRY), "by-guest")
  '';
}

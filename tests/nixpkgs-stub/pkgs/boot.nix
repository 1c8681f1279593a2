# What machines start from other than a kernel that QEMU loads, and what makes disks with it.
{ pkgs, ... }:
let
  inherit (pkgs) toolboxPackage;

  firmware = toolboxPackage {
    tool = "ovmf";
    pname = "OVMF";
    passthru = {
      firmware = "${firmware}/FV/OVMF_CODE.fd";
      variables = "${firmware}/FV/OVMF_VARS.fd";
      systemManagementModeRequired = false;
    };
  };

  ofBootLoaders =
    pname: mainProgram:
    toolboxPackage {
      tool = "bootLoaders";
      inherit pname mainProgram;
    };
  ofDiskTools =
    pname: mainProgram:
    toolboxPackage {
      tool = "diskTools";
      inherit pname mainProgram;
    };
in
{
  OVMF = {
    fd = firmware;
    # The toolbox has one.
    override = _: pkgs.OVMF;
  };

  grub2 = ofBootLoaders "grub" "grub-mkimage";
  efibootmgr = ofBootLoaders "efibootmgr" "efibootmgr";
  # In nixpkgs it is a part of systemd.
  systemd-boot = ofBootLoaders "systemd-boot" "bootctl";

  disk-tools = ofDiskTools "disk-tools" "sfdisk";
  dosfstools = ofDiskTools "dosfstools" "mkfs.vfat";
  mtools = ofDiskTools "mtools" "mcopy";

  swtpm = toolboxPackage {
    tool = "swtpm";
    mainProgram = "swtpm";
  };
  tpm2-tools = toolboxPackage {
    tool = "tpm2Tools";
    pname = "tpm2-tools";
    mainProgram = "tpm2";
  };
}

# A disk with an installed system, and the variables of the firmware that starts from it. It is made of files alone: nobody has to be
# root, and no machine runs.
{
  config,
  lib,
  pkgs,
  # Store paths beside the system.
  additionalPaths ? [ ],
  # Of the root's file system.
  label ? "nixos",
  # "efi": a GPT with an EFI system partition and the root; "legacy": an MBR with GRUB before it, and the root.
  partitionTableType,
  # Whether the configuration's boot loader is told of the system.
  installBootLoader ? true,
  # Whether the firmware's variables come with it.
  touchEFIVars ? false,
  OVMF,
  # Of the disk, in MiB; null: as large as what is on it, and half as much again.
  size ? null,
}:
let
  inherit (config.system.build) toplevel;

  closure = pkgs.closureInfo { rootPaths = [ toplevel ] ++ additionalPaths; };

  isEFI = partitionTableType == "efi";

  # Where the root begins, in MiB.
  start = if isEFI then 256 else 1;

  table =
    if isEFI then
      ''
        label: gpt
        start=1MiB, size=${toString (start - 1)}MiB, type=uefi, name=ESP
        start=${toString start}MiB, type=linux, name=root
      ''
    else
      ''
        label: dos
        start=${toString start}MiB, type=83, bootable
      '';
in
assert lib.assertMsg (lib.elem partitionTableType [
  "efi"
  "legacy"
]) "the stub of nixpkgs makes no disk of the type ${partitionTableType}";
pkgs.runCommand "nixos-disk-image"
  {
    nativeBuildInputs = [
      pkgs.disk-tools
      pkgs.userland
    ];
    inherit table;
    preferLocalBuild = true;
  }
  ''
    mkdir -p root/{boot,dev,etc,home,proc,root,run,sys,tmp,nix/store,nix/var/nix/profiles}
    chmod 1777 root/tmp
    ln -s ${toplevel} root/nix/var/nix/profiles/system-1-link
    ln -s system-1-link root/nix/var/nix/profiles/system
    ${lib.optionalString installBootLoader "${config.system.build.installBootLoader} ${toplevel} $PWD/root"}

    ${lib.optionalString isEFI ''
      mkdir esp
      mv root/boot/* esp/ 2> /dev/null || true
    ''}

    # All of it belongs to root, which the builder is not: an archive can say so.
    sed 's,^/,,' ${closure}/store-paths > paths
    tar -c --owner=0 --group=0 --numeric-owner --sort=name --mtime=@1 -C root . -C / --files-from=paths > root.tar

    size=${if size == null then "$(( $(stat -c %s root.tar) / 1048576 * 3 / 2 + ${toString start} + 64 ))" else toString size}
    truncate -s "''${size}M" disk
    sfdisk --quiet disk <<< "$table"

    # The backup of a GPT lies at the end of the disk.
    mke2fs -q -t ext4 -L ${label} -O ^metadata_csum_seed,^orphan_file -E offset=${toString (start * 1048576)} -d root.tar \
      disk "$(( (size - ${toString start} - 1) * 1024 ))k"
    rm root.tar

    ${lib.optionalString isEFI ''
      truncate -s ${toString (start - 1)}M esp.img
      mkfs.vfat -F 32 -n ESP esp.img > /dev/null
      [ -z "$(ls esp)" ] || GCONV_PATH=${pkgs.mtools}/lib/gconv mcopy -s -i esp.img esp/* ::/
      dd if=esp.img of=disk bs=1M seek=1 conv=notrunc,sparse status=none
    ''}
    ${lib.optionalString (!isEFI && installBootLoader && config.boot.loader.grub.enable) ''
      # The code of the master boot record without the table, and what it loads: it lies where the first looks for it.
      dd if=${pkgs.grub2}/lib/grub/i386-pc/boot.img of=disk bs=440 count=1 conv=notrunc status=none
      dd if=${config.system.build.grubCore} of=disk bs=512 seek=1 conv=notrunc status=none
    ''}

    mkdir $out
    ${config.virtualisation.qemu.package}/bin/qemu-img convert -f raw -O qcow2 disk $out/nixos.qcow2
    ${lib.optionalString touchEFIVars "cp ${OVMF.variables} $out/efi-vars.fd"}
  ''

#!/bin/sh
# Collects firmware, boot loaders, a TPM, and what makes disks for them to start from, of the extracted packages $1, into directories
# below $2.
set -eu
packages=$1
out=$2
. "${0%/*}/libraries.sh"

bundle "$packages" "$out/boot-loaders" usr/bin/grub-mkimage usr/bin/grub-editenv usr/bin/bootctl usr/bin/efibootmgr
for platform in i386-pc x86_64-efi; do
    target=$out/boot-loaders/lib/grub/$platform
    mkdir -p "$target"
    cp "$packages/usr/lib/grub/$platform"/*.mod "$packages/usr/lib/grub/$platform"/*.lst "$packages/usr/lib/grub/$platform"/*.img "$target/"
done
mkdir -p "$out/boot-loaders/lib/systemd/boot/efi"
cp "$packages/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$out/boot-loaders/lib/systemd/boot/efi/"

# mke2fs reads archives by a library that it loads when it is asked to; so files can belong to root where nobody is root.
bundle "$packages" "$out/disk-tools" usr/bin/mcopy usr/bin/mmd usr/sbin/mkfs.vfat usr/sbin/sfdisk usr/sbin/mke2fs
loaded libarchive.so.13
# mtools asks for the letters of FAT, which the C library has in a module ($GCONV_PATH).
mkdir "$dir/lib/gconv"
cp "$lib/gconv/IBM850.so" "$dir/lib/gconv/"
cat > "$dir/lib/gconv/gconv-modules" <<'END'
alias CP850// IBM850//
module IBM850// INTERNAL IBM850 1
module INTERNAL IBM850// IBM850 1
END

bundle "$packages" "$out/swtpm" usr/bin/swtpm usr/bin/swtpm_ioctl

# One program that goes by many names.
bundle "$packages" "$out/tpm2-tools" usr/bin/tpm2
for name in startup shutdown nvdefine nvread nvwrite pcrread; do
    cp "$out/tpm2-tools/bin/tpm2" "$out/tpm2-tools/bin/tpm2_$name"
done
loaded libtss2-tcti-device.so.0 libtss2-tcti-swtpm.so.0

# Firmware, and the variables of a machine that has never been on.
mkdir -p "$out/ovmf/FV"
for part in CODE VARS; do
    cp -L "$packages/usr/share/OVMF/OVMF_${part}_4M.fd" "$out/ovmf/FV/OVMF_$part.fd"
done

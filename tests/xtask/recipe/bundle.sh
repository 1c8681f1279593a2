#!/bin/sh
# Collects programs of the extracted packages $1, each with all the libraries it needs, into directories below $2.
# Where those will lie is not known yet: recipe/relocate.sh tells it to the programs.
set -eu
packages=$1
out=$2
lib=$packages/usr/lib/x86_64-linux-gnu
loader=$packages/usr/lib64/ld-linux-x86-64.so.2

# libraries FILE DIRECTORY: copies what FILE is linked with.
libraries() {
    "$loader" --library-path "$lib:$lib/pulseaudio" --list "$1" > "$out/list"
    if grep 'not found' "$out/list"; then
        echo "$1 lacks libraries" >&2
        exit 1
    fi
    sed -n 's/.* => \(\/.*\) (0x.*/\1/p' "$out/list" | while read -r library; do
        [ -e "$2/${library##*/}" ] || cp -L "$library" "$2/"
    done
    rm "$out/list"
}

# bundle NAME PROGRAM…
bundle() {
    dir=$out/$1
    shift
    mkdir -p "$dir/bin" "$dir/lib"
    cp "$loader" "$dir/lib/"
    for program in "$@"; do
        cp -L "$packages/$program" "$dir/bin/"
        libraries "$packages/$program" "$dir/lib"
    done
}

bundle qemu usr/bin/qemu-system-x86_64 usr/bin/qemu-img
bundle e2fsprogs usr/sbin/mke2fs usr/sbin/e2fsck usr/sbin/debugfs usr/sbin/resize2fs
bundle erofs-utils usr/bin/mkfs.erofs usr/bin/fsck.erofs usr/bin/dump.erofs
bundle tesseract usr/bin/tesseract
bundle relocator usr/bin/patchelf

# What it knows of English.
cp -L "$packages"/usr/share/tesseract-ocr/*/tessdata/eng.traineddata "$out/tesseract/"

# Shells and tools for relocate.sh.
cp "$packages/usr/bin/busybox" "$out/relocator/bin/"

# QEMU looks for modules and firmware beside its own place. Headless: screens of guests, but none on the host.
modules=$out/qemu/lib/x86_64-linux-gnu/qemu
mkdir -p "$modules" "$out/qemu/share/qemu"
for module in "$lib"/qemu/hw-display-virtio-*.so "$lib"/qemu/hw-uefi-vars.so; do
    cp "$module" "$modules/"
    libraries "$module" "$out/qemu/lib"
done
# How start scripts of NixOS machines plug them into networks (`-netdev vde`).
mkdir "$out/qemu/lib/vdeplug"
cp "$lib/vdeplug/libvdeplug_vde.so" "$out/qemu/lib/vdeplug/"
libraries "$lib/vdeplug/libvdeplug_vde.so" "$out/qemu/lib"
# Loaded by the C library when a thread is cancelled.
cp -L "$lib/libgcc_s.so.1" "$out/qemu/lib/"
share=$packages/usr/share
cp -L "$share"/seabios/bios-256k.bin "$share"/seabios/bios-microvm.bin "$share"/seabios/bios.bin \
    "$share"/seabios/vgabios*.bin "$out/qemu/share/qemu/"
for file in qboot.rom linuxboot.bin linuxboot_dma.bin multiboot.bin multiboot_dma.bin pvh.bin kvmvapic.bin \
    efi-virtio.rom efi-e1000.rom efi-e1000e.rom efi-rtl8139.rom efi-vmxnet3.rom keymaps; do
    cp -rL "$share/qemu/$file" "$out/qemu/share/qemu/"
done

#!/bin/sh
# Puts the kernel of the extracted packages $1 and its modules, with their indexes, into $2.
set -eu
packages=$1
out=$2
mkdir -p "$out/lib/modules"
cp "$packages"/boot/vmlinuz-* "$out/vmlinuz"
cp "$packages"/boot/config-* "$out/config"
cp -r "$packages"/usr/lib/modules/* "$out/lib/modules/"
version=$(ls "$out/lib/modules")

# The depmod that came with the kernel, since this machine may have none.
lib=$packages/usr/lib/x86_64-linux-gnu
"$packages/usr/lib64/ld-linux-x86-64.so.2" --argv0 depmod --library-path "$lib" "$packages/usr/bin/kmod" \
    -b "$out" "$version"
test -s "$out/lib/modules/$version/modules.dep"

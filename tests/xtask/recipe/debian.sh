#!/bin/sh
# Hook of mmdebstrap for the Debian guest ($1): a fresh tree that belongs to no machine in particular.
set -eu
root=${1:?the tree}

chroot "$root" passwd --delete root
# The mirror, this machine and the settings of its apt.
rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap
rm -f "$root/etc/resolv.conf" "$root/etc/hostname" "$root/var/lib/dbus/machine-id"
# Empty, and not missing: so systemd makes an identity for the run and does not take it for the first boot.
: > "$root/etc/machine-id"
echo 'LANG=C.UTF-8' > "$root/etc/default/locale"
# What no test reads.
rm -rf "$root"/var/log/* "$root"/var/cache/*
for dir in doc info locale man; do
    rm -rf "${root:?}/usr/share/$dir"/*
done

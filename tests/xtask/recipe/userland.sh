#!/bin/sh
# Collects the programs of the Debian guest (archive $1) for a guest that has nothing outside /nix/store, into directory $3. $2 is
# the bundle with patchelf. Where it will lie is not known yet: recipe/userland-relocate.sh tells it to the programs.
#
# Debian's programs know each other by paths below /usr. In their stead are paths of the same length below /run, where
# the guest makes links before its systemd starts: /run/bin and /run/sbin to bin, /run/lib to lib, and /run/modules to the
# folder of its kernel's modules. So nothing has to be in /usr.
set -eu
archive=$1
relocator=$2
out=$3
tree=$out.tree
mkdir -p "$tree" "$out/bin" "$out/lib/security" "$out/share"
tar -xf "$archive" -C "$tree" --exclude=./dev --exclude=./var
arch=x86_64-linux-gnu
libraries=$tree/usr/lib/$arch

patchelf() {
    "$relocator/lib/ld-linux-x86-64.so.2" --library-path "$relocator/lib" "$relocator/bin/patchelf" "$@"
}
is_elf() {
    [ "$(head -c 4 "$1" | tail -c 3)" = ELF ]
}

# Programs, and names that stand for one of them.
for program in "$tree"/usr/bin/* "$tree"/usr/sbin/*; do
    name=${program##*/}
    case $name in
    apt* | dpkg* | deb* | perl* | ld.so | sensible-* | update-*) continue ;;
    esac
    # The tree's own absolute links would lead out of it.
    real=$program
    while [ -L "$real" ]; do
        link=$(readlink "$real")
        case $link in
        /*) real=$tree$link ;;
        *) real=${real%/*}/$link ;;
        esac
    done
    [ -f "$real" ] || continue
    case $name in
    gunzip | zcat)
        cp "$real" "$out/bin/$name"
        continue
        ;;
    esac
    is_elf "$real" || continue
    # Some are in both folders.
    [ ! -e "$out/bin/$name" ] || continue
    if [ "${real##*/}" = "$name" ]; then
        cp "$real" "$out/bin/$name"
    else
        case $real in
        */lib/systemd/*) ln -s "../lib/systemd/${real##*/}" "$out/bin/$name" ;;
        *) ln -s "${real##*/}" "$out/bin/$name" ;;
        esac
    fi
done

# Libraries by the names that programs know them by. Some are loaded by name only, so all are here.
for library in "$libraries"/*.so* "$libraries"/systemd/*.so; do
    [ -f "$library" ] && [ ! -L "$library" ] || continue
    is_elf "$library" || continue
    name=$(patchelf --print-soname "$library")
    case $name in
    libapt* | libperl*) continue ;;
    esac
    cp "$library" "$out/lib/${name:-${library##*/}}"
done
cp "$tree/usr/lib64/ld-linux-x86-64.so.2" "$out/lib/"
cp "$libraries"/security/*.so "$out/lib/security/"

# systemd: its programs are where it looks for them, its units where nothing looks for them, since a guest takes what it wants.
cp -r "$tree/usr/lib/systemd" "$out/lib/"
cp -r "$tree/usr/lib/udev" "$out/lib/"
mkdir -p "$out/example"
mv "$out/lib/systemd/system" "$out/lib/systemd/user" "$out/example/"
cp -r "$tree/usr/lib/tmpfiles.d" "$tree/usr/lib/sysctl.d" "$out/example/"
mv "$out/lib/udev/rules.d" "$out/example/"
rm -rf "$out"/lib/systemd/*.d "$out"/lib/systemd/*-preset "$out/lib/systemd/network" "$out/lib/systemd/catalog" \
    "$out/lib/udev/hwdb.d" "$out/lib/udev/hwdb.bin"
find "$out/lib/systemd/system-generators" -type f ! -name systemd-fstab-generator ! -name systemd-debug-generator \
    ! -name systemd-run-generator -delete
cp -r "$tree/usr/share/dbus-1" "$tree/usr/share/terminfo" "$out/share/"

# In programs and libraries only: texts are told where things lie when that is known. Search paths are lists.
export LC_ALL=C
find "$out/bin" "$out/lib" -type f | while read -r file; do
    is_elf "$file" || continue
    sed -i -e 's,/usr/lib/systemd,/run/lib/systemd,g; s,/usr/lib/udev,/run/lib/udev,g' \
        -e 's,/usr/bin/,/run/bin/,g; s,/usr/sbin/,/run/sbin/,g' \
        -e 's,:/usr/bin,:/run/bin,g; s,/usr/bin:,/run/bin:,g; s,:/usr/sbin,:/run/sbin,g; s,/usr/sbin:,/run/sbin:,g' "$file"
done
sed -i 's,/lib/modules,/run/modules,g' "$out/bin/kmod" "$out/lib/libkmod.so.2"

rm -r "$tree"

# shellcheck shell=sh disable=SC2154 # the derivation sets bundle, relocator and out
# Builder of recipe/userland.nix, run by the sandbox's own shell: copies $bundle to $out and tells what is in it where that is.
set -eu
busybox=$relocator/bin/busybox
patchelf() {
    "$relocator/lib/ld-linux-x86-64.so.2" --library-path "$relocator/lib" "$relocator/bin/patchelf" "$@"
}

"$busybox" cp -r "$bundle" "$out"
"$busybox" chmod -R u+w "$out"

# The old kind of path, which counts for the libraries of libraries and for what is loaded by name, too.
"$busybox" find "$out/bin" "$out/lib/systemd" "$out/lib/udev" -type f | while read -r program; do
    if patchelf --print-interpreter "$program" > /dev/null 2>&1; then
        patchelf --set-interpreter "$out/lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$out/lib" "$program"
    fi
done
for library in "$out"/lib/*.so* "$out"/lib/security/*.so; do
    case $library in
    */ld-linux-*) ;;
    *) [ -z "$(patchelf --print-rpath "$library")" ] || patchelf --remove-rpath "$library" ;;
    esac
done

# Texts: units, rules and the like.
"$busybox" find "$out/example" "$out/share/dbus-1" -type f | while read -r file; do
    "$busybox" sed -i -e "s,/usr/lib/systemd,$out/lib/systemd,g; s,/usr/lib/udev,$out/lib/udev,g" \
        -e "s,\([ =@+!:\"-]\)/\(usr/\)\?s\?bin/,\1$out/bin/,g" "$file"
done
"$busybox" sed -i "1s,.*,#!$out/bin/bash," "$out/bin/gunzip" "$out/bin/zcat"
"$busybox" chmod -R u-w "$out"

# What does not start here would not start in a guest.
"$out/bin/bash" -c "'$out/bin/ls' '$out' && '$out/bin/systemctl' --version && '$out/lib/systemd/systemd' --version"

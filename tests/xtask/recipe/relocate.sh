# shellcheck shell=sh disable=SC2154 # the derivation sets bundle, relocator and out
# Builder of recipe/relocate.nix, run by the sandbox's own shell: copies $bundle to $out and tells its programs
# where their loader and libraries lie now.
set -eu
busybox=$relocator/bin/busybox
patchelf() {
    "$relocator/lib/ld-linux-x86-64.so.2" --library-path "$relocator/lib" "$relocator/bin/patchelf" "$@"
}

"$busybox" cp -r "$bundle" "$out"
"$busybox" chmod -R u+w "$out"
for program in "$out"/bin/*; do
    # The old kind of path, which counts for the libraries of libraries too.
    patchelf --set-interpreter "$out/lib/ld-linux-x86-64.so.2" --force-rpath --set-rpath "$out/lib" "$program"
done
for library in "$out"/lib/*.so*; do
    case $library in
    */ld-linux-*) ;;
    *) [ -z "$(patchelf --print-rpath "$library")" ] || patchelf --remove-rpath "$library" ;;
    esac
done
# Debian's QEMU looks for firmware and modules below /usr only.
qemu=$out/bin/qemu-system-x86_64
if [ -e "$qemu" ]; then
    "$busybox" mkdir "$out/libexec"
    "$busybox" mv "$qemu" "$out/libexec/"
    echo "#!/bin/sh
export QEMU_MODULE_DIR='$out/lib/x86_64-linux-gnu/qemu'
export VDEPLUGIN_PATH='$out/lib/vdeplug'
exec '$out/libexec/qemu-system-x86_64' -L '$out/share/qemu' \"\$@\"" > "$qemu"
    "$busybox" chmod +x "$qemu"
    # Whatever does not start here would not start in a test.
    devices=$("$qemu" -device help)
    case $devices in *virtio-gpu-pci*) ;; *) exit 1 ;; esac
    "$out/bin/qemu-img" --version
fi
# tesseract looks for what it knows below /usr only.
tesseract=$out/bin/tesseract
if [ -e "$tesseract" ]; then
    "$busybox" mkdir "$out/libexec" "$out/share"
    "$busybox" mv "$tesseract" "$out/libexec/"
    "$busybox" mv "$out/eng.traineddata" "$out/share/"
    echo "#!/bin/sh
export TESSDATA_PREFIX='$out/share'
exec '$out/libexec/tesseract' \"\$@\"" > "$tesseract"
    "$busybox" chmod +x "$tesseract"
    languages=$("$tesseract" --list-langs)
    case $languages in *eng*) ;; *) exit 1 ;; esac
fi
"$busybox" chmod -R u-w "$out"

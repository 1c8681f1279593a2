#!/bin/sh
# What another driver needs to boot the Debian guest: root.ext4, initrd and the start script run-machine-vm, in the folder $1.
# It runs in the toolbox; the start script and what it names run outside, where the toolbox's store is $store.
# The guest is the same but for a root shell on its virtio console, which is how such drivers speak to it.
set -eu
out=$1
store=$2
qemu=$3
kernel=$4
e2fsprogs=$5
debian=$6
busybox=$7

tree=$out/tree
mkdir -p "$tree"
tar -xf "$debian" -C "$tree"
cat > "$tree/etc/systemd/system/backdoor.service" <<'UNIT'
[Unit]
Description=Root shell for tests
Requires=dev-hvc0.device
After=dev-hvc0.device

[Service]
Environment=USER=root HOME=/root PAGER=
WorkingDirectory=/tmp
ExecStart=/usr/local/sbin/root-shell
KillSignal=SIGHUP
UNIT
cat > "$tree/usr/local/sbin/root-shell" <<'SHELL'
#!/bin/bash
exec < /dev/hvc0 > /dev/hvc0 2> /dev/ttyS0
stty -F /dev/hvc0 raw -echo
echo "Spawning backdoor root shell..."
PS1="" exec bash --norc /dev/hvc0
SHELL
chmod 755 "$tree/usr/local/sbin/root-shell"
# One login prompt less on each of the two: such guests have none there.
for unit in serial-getty@ttyS0.service serial-getty@hvc0.service; do
    ln -sf /dev/null "$tree/etc/systemd/system/$unit"
done
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -sf ../backdoor.service "$tree/etc/systemd/system/multi-user.target.wants/"
"$e2fsprogs/bin/mke2fs" -q -t ext4 -d "$tree" "$out/root.ext4" 1G
rm -r "$tree"

# The kernel has no driver of virtio disks inside.
initrd=$out/tree
mkdir -p "$initrd/bin" "$initrd/dev" "$initrd/root"
tar -xf "$busybox" -C "$initrd" ./bin/busybox
xz -dc "$kernel"/lib/modules/*/kernel/drivers/block/virtio_blk.ko.xz > "$initrd/virtio_blk.ko"
cat > "$initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs devtmpfs /dev
/bin/busybox insmod /virtio_blk.ko
while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.01; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
INIT
chmod 755 "$initrd/init"
(cd "$initrd" && find . | ./bin/busybox cpio -o -H newc) > "$out/initrd"
rm -r "$initrd"

# QEMU's programs name their loader by a path that is there only in the toolbox.
cat > "$out/run-machine-vm" <<START
#!/bin/sh
export QEMU_MODULE_DIR='$store$qemu/lib/x86_64-linux-gnu/qemu'
exec '$store$qemu/lib/ld-linux-x86-64.so.2' --library-path '$store$qemu/lib' \\
    '$store$qemu/libexec/qemu-system-x86_64' -L '$store$qemu/share/qemu' \\
    -name machine -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \\
    -kernel '$store$kernel/vmlinuz' -initrd '$out/initrd' \\
    -append "console=ttyS0 panic=1 \$QEMU_KERNEL_PARAMS" \\
    -drive 'file=$out/root.ext4,if=virtio,format=raw,snapshot=on' \\
    \$QEMU_OPTS "\$@"
START
chmod 755 "$out/run-machine-vm"

#!/bin/sh
# Makes the small guest $2/busybox.tar of the busybox in the extracted packages $1.
set -eu
packages=$1
out=$2
tree=$out/tree
mkdir -p "$tree/bin" "$tree/etc/init.d"
cd "$tree"
mkdir dev proc sys tmp run root var mnt
chmod 1777 tmp
chmod 700 root
ln -s bin sbin
cp "$packages/usr/bin/busybox" bin/
for applet in $(bin/busybox --list); do
    [ -e "bin/$applet" ] || ln -s busybox "bin/$applet"
done

cat > etc/inittab <<'END'
::sysinit:/etc/init.d/rcS
::ctrlaltdel:/sbin/reboot
::shutdown:/bin/umount -a -r
END
cat > etc/init.d/rcS <<'END'
#!/bin/sh
mounted() { grep -q " $1 " /proc/mounts; }
[ -e /proc/mounts ] || mount -t proc proc /proc
mounted /sys || mount -t sysfs sysfs /sys
mounted /dev || mount -t devtmpfs devtmpfs /dev
mounted /run || mount -t tmpfs tmpfs /run
mkdir -p /dev/pts
mounted /dev/pts || mount -t devpts devpts /dev/pts
[ ! -e /etc/hostname ] || hostname -F /etc/hostname
ip link set lo up
END
chmod 755 etc/init.d/rcS
echo 'root::0:0:root:/root:/bin/sh' > etc/passwd
echo 'root:x:0:' > etc/group

tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -cf "$out/busybox.tar" .
cd /
rm -r "$tree"

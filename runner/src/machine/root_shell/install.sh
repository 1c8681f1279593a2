# For a root shell of the guest's: takes the agent's program from the agent's port, and starts it on that port. It asks
# for no more than a POSIX shell, head, chmod, cp, rm and sleep. What is wrong is said on the shell's own terminal, in
# words that an echo of this text does not contain.
(
# What a guest that was reset has not read any more is found by the one that comes next.
read -r boot < @BOOT_ID_FILE@
[ "$boot" = '@BOOT@' ] || exit 0
name=vmtest
fail() {
  echo
  echo "$name-agent: $*."
  exit 1
}
tries=0 port=
until [ -e "$port" ]; do
  for entry in @PORTS@/*; do
    read -r found < "$entry/name" && [ "$found" = '@PORT@' ] && port=@DEVICES@/${entry##*/}
  done
  [ -e "$port" ] && break
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail "there is no virtio-serial port @PORT@ (driver virtio_console, sysfs and devtmpfs are needed)"
  sleep 1
done
install() {
  while read -r line; do
    [ "$line" = '@MARK@' ] && break
  done
  have=
  for folder in @FOLDERS@; do
    file=$folder/.vmtest-agent
    rm -f "$file"
    if [ "$have" ]; then
      cp "$have" "$file" && rm -f "$have"
    else
      head -c @LENGTH@ > "$file"
    fi || continue
    have=$file
    chmod 700 "$file"
    "$file" @JOIN@ && exit 0
    # That is what a file system without programs says.
    [ "$?" -eq 126 ] || fail "it cannot be started (the console may say why)"
  done
  fail "no folder takes a program (tried: @FOLDERS@)"
}
# The port is opened once only: to close it is to lose what waits in it. Until now an agent of the initrd's may have it.
tries=0
until { install; } <> "$port"; do
  for entry in /proc/[0-9]*; do
    read -r found < "$entry/comm" && [ "$found" = vmtest-agent ] && kill -9 "${entry##*/}"
  done
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || fail "another program has the port $port"
  sleep 1
done
) 2> /dev/null &

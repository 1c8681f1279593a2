# What the parts of the stub have to agree on about QEMU.
{
  lib,
  stdenv ? pkgs.stdenv,
  pkgs ? null,
}:
let
  hexByte =
    number:
    if number > 255 then
      throw "${toString number} is more than a byte of a MAC address can hold"
    else
      lib.fixedWidthString 2 "0" (lib.toHexString number);
in
rec {
  qemuNicMac = vlan: machine: "52:54:00:12:${hexByte vlan}:${hexByte machine}";

  qemuNICFlags = nic: vlan: machine: [
    "-device virtio-net-pci,netdev=vlan${toString nic},mac=${qemuNicMac vlan machine}"
    ''-netdev vde,id=vlan${toString nic},sock="$QEMU_VDE_SOCKET_${toString vlan}"''
  ];

  qemuSerialDevice =
    {
      x86_64-linux = "ttyS0";
      aarch64-linux = "ttyAMA0";
    }
    .${stdenv.hostPlatform.system};
}

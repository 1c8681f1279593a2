# A test that nixpkgs comes with: it lies where the modules of nixpkgs do, and is a user's all the same.
{
  name = "watchdog";
  nodes.machine.virtualisation.qemu.options = [ "-device i6300esb" ];
  testScript = ''
    machine.succeed("test -e /dev/watchdog")
  '';
}

# What a node of a NixOS test has in it when vmtest runs the test.
{
  key = "nix-vmtest/nixos/guest";
  _file = "nix-vmtest/nixos/guest";
  imports = [
    (import ./boot.nix)
    (import ./instrumentation.nix)
    (import ./machine.nix)
  ];
}

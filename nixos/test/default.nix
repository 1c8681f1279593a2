# The test module: imported into a NixOS test, it has vmtest run the test. Everything else stays as the user's nixpkgs has it.
{
  # `vmTest` of lib/default.nix.
  vmTest,
}:
{
  key = "nix-vmtest/nixos/test";
  _file = "nix-vmtest/nixos/test";
  _class = "nixosTest";
  imports = [
    (import ./options.nix)
    (import ./run.nix { inherit vmTest; })
  ];
}

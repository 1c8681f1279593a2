{
  description = "A test of a server and a client";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  inputs.vmtest.url = "github:nix-vmtest/nix-vmtest";

  outputs =
    { nixpkgs, vmtest, ... }:
    {
      checks.x86_64-linux = import ./checks.nix {
        pkgs = nixpkgs.legacyPackages.x86_64-linux.extend vmtest.overlays.default;
      };
    };
}

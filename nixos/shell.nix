# What one works on nix-vmtest with.
{ pkgs }:
pkgs.mkShell {
  packages = [
    pkgs.cargo
    pkgs.cargo-nextest
    pkgs.clippy
    pkgs.nixfmt
    pkgs.pkg-config
    pkgs.qemu_test
    pkgs.rustc
    pkgs.rustfmt
    pkgs.rustPlatform.bindgenHook
    (pkgs.lib.getDev pkgs.nix)
  ];
}

# As nixpkgs is imported: a function of what to make, which returns packages. The programs in them come from the toolbox.
{
  system ? localSystem.system or localSystem,
  localSystem ? builtins.currentSystem or "x86_64-linux",
  crossSystem ? null,
  overlays ? [ ],
  config ? { },
  # Which release to play: "24.11", "25.05", "25.11" or "26.05".
  release ? "25.11",
  lib ? import ./lib/make.nix { inherit release; },
  # What the toolbox has: store paths as strings. `cargo xtask` knows them.
  tools ? import ./tools.nix,
}@args:
let
  import' = changed: import ./. (args // changed);
  base = import ./pkgs {
    inherit
      config
      lib
      overlays
      system
      tools
      ;
    withOverlays = overlays: import' { inherit overlays; };
  };
in
assert crossSystem == null || throw "the stub of nixpkgs does not cross-compile";
lib.fix (lib.foldl' (lib.flip lib.extends) base overlays)

# Evaluation of configurations and of tests, for whoever has a `lib`.
{
  lib ? import ../../lib,
  featureFlags ? { },
  ...
}:
let
  testing = import ./testing { inherit lib; };
  minimal = import ./eval-config-minimal.nix { inherit lib; };
in
{
  evalModules =
    lib.warnIf (!featureFlags ? minimalModules)
      "lib.nixos.evalModules is experimental and subject to change. See nixos/lib/default.nix"
      minimal.evalModules;
  inherit (testing) evalTest runTest;
}

# `machine` is how a test with one machine was once written.
{
  config,
  lib,
  options,
  ...
}:
{
  options.machine = lib.mkOption {
    type = lib.types.raw;
    internal = true;
    description = "The only machine.";
  };

  config.nodes = lib.mkIf options.machine.isDefined (
    lib.warn "In test `${config.name}': The `machine' attribute in NixOS tests (pkgs.nixosTest / make-test-python.nix / testing-python.nix / makeTest) is deprecated. Please set the equivalent `nodes.machine'." {
      inherit (config) machine;
    }
  );
}

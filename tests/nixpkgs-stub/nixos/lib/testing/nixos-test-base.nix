# What makes a NixOS configuration a machine of a test.
{ config, lib, ... }:
let
  since = lib.versionAtLeast lib.trivial.release;
in
{
  imports = [
    ../../modules/testing/test-instrumentation.nix
  ]
  # Since 26.05 not every machine is a virtual one.
  ++ lib.optional (!since "26.05") ../../modules/virtualisation/qemu-vm.nix;

  config = {
    documentation.nixos.enable = lib.mkOverride 150 false;

    # Machines must not be built anew for each commit.
    system.nixos = {
      revision = lib.mkForce "constant-nixos-revision";
      versionSuffix = lib.mkForce "test";
      label = lib.mkForce "test";
    };

    system.switch.enable = lib.mkDefault (
      config.isSpecialisation
      || config.specialisation != { }
      || config.virtualisation.installBootLoader or false
    );
  };
}

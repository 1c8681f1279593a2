# From a node's configuration to its machine spec.
{
  config,
  lib,
  options,
  modulesPath,
  ...
}:
let
  inherit (lib) mkOption types;

  node = config.virtualisation.test.nodeName;
in
{
  _file = "nix-vmtest/nixos/guest/machine.nix";

  options.vmtest = {
    machine = mkOption {
      type = types.raw;
      internal = true;
      readOnly = true;
      description = "The machine spec of the node, as `nodes.<name>` of `vmTest` takes it.";
    };

    qemuOptions = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [
        "-device"
        "nvme,serial=1"
      ];
      description = "Arguments for QEMU, each a word: no shell sees them.";
    };

    bootTimeout = mkOption {
      type = types.ints.positive;
      default = 60;
      description = "Seconds that the node may take to boot; five times as many under emulation.";
    };
  };

  config.vmtest.machine = import ./spec.nix {
    inherit
      config
      lib
      options
      node
      ;
    # Whatever lies in nixpkgs' own folder is no definition of the user's.
    nixos = dirOf (toString modulesPath);
  };
}

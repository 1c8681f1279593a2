# From a node's configuration to its machine spec.
{
  config,
  lib,
  extendModules,
  options,
  modulesPath,
  pkgs,
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
      default = 600;
      description = "Seconds that the node may take to boot; five times as many under emulation.";
    };
  };

  config.vmtest.machine =
    # That the node needs its initrd after all is seen only when it is evaluated without: then it is evaluated once more.
    if config.vmtest.bootsBy != config.vmtest.boot then
      (extendModules { modules = [ { vmtest.boot = "initrd"; } ]; }).config.vmtest.machine
    else
      import ./spec.nix {
        inherit
          config
          lib
          options
          pkgs
          node
          ;
        definitions = import ./definitions.nix { inherit lib modulesPath; };
      };
}

# Machines that share a kernel, and modules of one kind of machine only: since 26.05. The stub evaluates containers as far as
# their names, networks and options go; it starts none.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  inherit (config) sshBackdoor;

  module = description: mkOption {
    type = types.deferredModule;
    default = { };
    inherit description;
  };

  container = import ../eval-config.nix {
    inherit lib;
    system = null;
    inherit (config.node) specialArgs;
    modules = [ config.defaults ];
    baseModules = import ../../modules/module-list.nix ++ [
      ./nixos-test-base.nix
      ../../modules/virtualisation/nspawn-container
      {
        key = "nodes";
        _module.args = {
          inherit (config) containers;
          nodes = config.nodesCompat;
        };
      }
      config.extraBaseModules
      config.containerDefaults
    ];
  };
in
{
  options = {
    container.type = mkOption {
      type = types.raw;
      internal = true;
      default = container.type;
      description = "Type of a container.";
    };

    containers = mkOption {
      type = types.lazyAttrsOf config.container.type;
      default = { };
      visible = "shallow";
      description = "The containers.";
    };

    allMachines = mkOption {
      readOnly = true;
      internal = true;
      description = "All machines, of either kind.";
      default =
        let
          both = lib.intersectLists (lib.attrNames config.nodes) (lib.attrNames config.containers);
        in
        lib.throwIf (both != [ ])
          "The following names are used in both `nodes` and `containers`: ${lib.concatStringsSep ", " both}"
          (config.nodes // config.containers);
    };

    nodeDefaults = module "A module of all virtual machines.";
    containerDefaults = module "A module of all containers.";
    extraBaseNodeModules = module "A module of all virtual machines and of all their specialisations.";
  };

  config = {
    _module.args = {
      inherit (config) containers;
    };
    passthru = {
      inherit (config) containers;
    };
    nodeDefaults =
      { config, ... }:
      {
        virtualisation.qemu.enableSharedMemory = lib.mkDefault true;
        assertions = [
          {
            assertion = !sshBackdoor.enable || config.virtualisation.qemu.enableSharedMemory;
            message = "The SSH backdoor needs shared memory.";
          }
        ];
      };
  };
}

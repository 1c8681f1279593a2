# What the driver is told as a file, since 26.05.
{
  config,
  hostPkgs,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;

  machine = types.submodule {
    options = {
      name = mkOption {
        type = types.str;
        description = "The machine's name.";
      };
      start_script = mkOption {
        type = types.path;
        description = "The program that starts the machine.";
      };
    };
  };

  vlansOf =
    { virtualisation, ... }:
    virtualisation.vlans ++ lib.mapAttrsToList (_name: interface: interface.vlan) virtualisation.interfaces;
in
{
  options = {
    driverConfiguration = mkOption {
      internal = true;
      description = "What the driver is told.";
      type = types.submodule {
        options = {
          vms = mkOption {
            type = types.attrsOf machine;
            default = { };
            description = "Virtual machines.";
          };
          containers = mkOption {
            type = types.attrsOf machine;
            default = { };
            description = "Containers.";
          };
          vlans = mkOption {
            type = types.listOf types.ints.unsigned;
            default = [ ];
            description = "Numbers of all VLANs.";
          };
          global_timeout = mkOption {
            type = types.ints.unsigned;
            description = "Seconds that the whole test may take.";
          };
          enable_ssh_backdoor = mkOption {
            type = types.bool;
            default = false;
            description = "Whether machines are reached by SSH over vsock.";
          };
          test_script = mkOption {
            type = types.path;
            description = "The script.";
          };
        };
      };
    };

    driverConfigurationFile = mkOption {
      type = types.path;
      internal = true;
      description = "The above as a file.";
    };
  };

  config = {
    driverConfiguration = {
      vms = lib.mapAttrs (name: node: {
        inherit name;
        start_script = lib.getExe node.system.build.vm;
      }) config.nodes;
      containers = lib.mapAttrs (name: container: {
        inherit name;
        start_script = lib.getExe container.system.build.nspawn;
      }) config.containers;
      vlans = lib.unique (lib.concatMap vlansOf (lib.attrValues config.allMachines));
      global_timeout = config.globalTimeout;
      enable_ssh_backdoor = config.sshBackdoor.enable;
      test_script = hostPkgs.writeText "test-script" config.testScriptString;
    };
    driverConfigurationFile = hostPkgs.writers.writeJSON "driverConfiguration.json" config.driverConfiguration;
  };
}

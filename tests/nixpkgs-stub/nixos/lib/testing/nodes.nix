# The machines: each is a NixOS configuration.
{
  config,
  hostPkgs,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  since = lib.versionAtLeast lib.trivial.release;
  # Since 26.05 there are machines that are no VMs.
  apart = since "26.05";
  test = config;

  guestSystem =
    let
      inherit (hostPkgs.stdenv.hostPlatform) isLinux system;
      guests.aarch64-darwin = "aarch64-linux";
      guests.x86_64-darwin = "x86_64-linux";
    in
    if isLinux then
      system
    else
      guests.${system} or (throw "a host of ${system} has no machines that it could run");

  qemuModule = {
    key = "base-qemu";
    virtualisation.qemu = {
      inherit (test.qemu) package;
    }
    // lib.optionalAttrs apart { inherit (test.qemu) forceAccel; };
    virtualisation.host.pkgs = hostPkgs;
  };

  systemModule =
    { options, ... }:
    {
      key = "nodes.nix-pkgs";
      config = lib.optionalAttrs (!test.node.pkgsReadOnly) (
        lib.mkIf (!options.nixpkgs.pkgs.isDefined) { nixpkgs.system = guestSystem; }
      );
    };

  baseOS =
    further:
    import ../eval-config.nix {
      inherit lib;
      system = null;
      inherit (test.node) specialArgs;
      modules = [ test.defaults ];
      baseModules =
        import ../../modules/module-list.nix
        ++ [
          ./nixos-test-base.nix
          {
            key = "nodes";
            _module.args = {
              nodes = test.nodesCompat;
            }
            // lib.optionalAttrs apart { inherit (test) containers; };
          }
          systemModule
          test.extraBaseModules
        ]
        ++ further;
    };
in
{
  _file = ./nodes.nix;

  options = {
    node = {
      type = mkOption {
        type = types.raw;
        internal = true;
        default =
          (baseOS (
            [ qemuModule ]
            ++ lib.optionals apart [
              ../../modules/virtualisation/qemu-vm.nix
              test.extraBaseNodeModules
              test.nodeDefaults
            ]
          )).type;
        description = "Type of a machine.";
      };

      pkgs = mkOption {
        type = types.nullOr types.pkgs;
        default = null;
        description = "Packages of all machines; null: each has its own.";
      };

      pkgsReadOnly = mkOption {
        type = types.bool;
        default = config.node.pkgs != null;
        defaultText = "node.pkgs != null";
        description = "Whether machines may not define `nixpkgs.*`.";
      };

      specialArgs = mkOption {
        type = types.lazyAttrsOf types.raw;
        default = { };
        description = "Arguments of the machines' modules that imports can depend on.";
      };
    };

    nodes = mkOption (
      {
        type = types.lazyAttrsOf config.node.type;
        visible = "shallow";
        description = "The virtual machines.";
      }
      // lib.optionalAttrs apart { default = { }; }
    );

    defaults = mkOption {
      type = types.deferredModule;
      default = { };
      description = "A module of all machines.";
    };

    extraBaseModules = mkOption {
      type = types.deferredModule;
      default = { };
      description = "A module of all machines and of all their specialisations.";
    };

    nodesCompat = mkOption {
      internal = true;
      description = "The machines as other machines and the script see them.";
    };
  };

  config = {
    _module.args.nodes = config.nodesCompat;

    nodesCompat = lib.mapAttrs (
      name: node:
      node
      // {
        config = lib.warn "Module argument `nodes.${name}.config` is deprecated. Use `nodes.${name}` instead." node;
      }
    ) config.nodes;

    passthru.nodes = config.nodesCompat;

    defaults = lib.mkIf config.node.pkgsReadOnly {
      imports = [ ../../modules/misc/nixpkgs/read-only.nix ];
      nixpkgs.pkgs = config.node.pkgs;
    };
  };
}

# How a node comes from power-on to its own init.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkIf
    mkOption
    mkOverride
    types
    ;

  # Stronger than `mkVMOverride`, by which nixpkgs puts its own file systems of a VM in place of the node's.
  mkDirectOverride = mkOverride 9;

  cfg = config.virtualisation;

  # What the agent has mounted when the node's init runs, or what is not there.
  mounted = [
    "/"
    "/nix/store"
    "/nix/.ro-store"
    "/nix/.rw-store"
  ]
  ++ map (share: share.target) (builtins.attrValues cfg.sharedDirectories);
in
{
  _file = "nix-vmtest/nixos/guest/boot.nix";

  options.vmtest.boot = mkOption {
    type = types.enum [ "direct" ];
    default = "direct";
    description = ''
      How the node comes from power-on to its own init.

      `direct`: vmtest's agent is the first process. It mounts the root, with the node's closure in `/nix/store`, and starts
      stage 2. There is no initrd of the node's own: options of `boot.initrd` have no effect.
    '';
  };

  config = mkIf (config.vmtest.boot == "direct") {
    # Neither evaluated nor built. `init` is the script of stage 2 then, in every version of nixpkgs.
    boot.initrd.enable = mkDirectOverride false;
    boot.initrd.systemd = lib.optionalAttrs (options.boot.initrd ? systemd) {
      enable = mkDirectOverride false;
    };

    # Releases before 25.05 link them into the system whether there is an initrd or not.
    system.build = {
      initialRamdisk = lib.mkDefault pkgs.emptyDirectory;
      initialRamdiskSecretAppender = lib.mkDefault pkgs.emptyDirectory;
    };

    fileSystems = mkDirectOverride (
      removeAttrs cfg.fileSystems mounted
      // {
        "/" = {
          device = "overlay";
          fsType = "overlay";
        };
      }
    );
  };
}

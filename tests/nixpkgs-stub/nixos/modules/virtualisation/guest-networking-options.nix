# The networks of a machine in a test, whatever runs it.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  # Since 26.05 interfaces can be called otherwise than their attributes, and there is a list of them all.
  since = lib.versionAtLeast lib.trivial.release;
  cfg = config.virtualisation;

  interface =
    { name, ... }:
    {
      options = {
        vlan = mkOption {
          type = types.ints.unsigned;
          description = "Number of the VLAN.";
        };
        assignIP = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it gets addresses by itself.";
        };
      }
      // lib.optionalAttrs (since "26.05") {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the interface.";
        };
      };
    };

  numbered = lib.listToAttrs (
    lib.imap1 (index: vlan: {
      name = "eth${toString index}";
      value = {
        name = "eth${toString index}";
        inherit vlan;
        assignIP = true;
      };
    }) cfg.vlans
  );
in
{
  options = {
    virtualisation = {
      vlans = mkOption {
        type = types.listOf types.ints.unsigned;
        default = if cfg.interfaces == { } then [ 1 ] else [ ];
        defaultText = "the first, unless there are interfaces";
        description = "VLANs that the machine is on, as eth1, eth2, ….";
      };
      interfaces = mkOption {
        type = types.attrsOf (types.submodule interface);
        default = { };
        description = "Interfaces on VLANs, by name.";
      };
    }
    // lib.optionalAttrs (since "26.05") {
      allInterfaces = mkOption {
        type = types.attrsOf types.raw;
        internal = true;
        readOnly = true;
        default = numbered // cfg.interfaces;
        description = "Both of them.";
      };
    };

    networking = {
      primaryIPAddress = mkOption {
        type = types.str;
        internal = true;
        default = "";
        description = "The address by which others know the machine.";
      };
      primaryIPv6Address = mkOption {
        type = types.str;
        internal = true;
        default = "";
        description = "The same for IPv6.";
      };
    };
  };

  config.assertions = lib.optionals (since "26.05") [
    {
      assertion = lib.intersectLists (lib.attrNames numbered) (lib.attrNames cfg.interfaces) == [ ];
      message = "virtualisation.vlans and virtualisation.interfaces define the same interfaces.";
    }
  ];
}

# Numbers, addresses and names of machines.
{ config, lib, ... }:
let
  inherit (lib)
    attrNames
    concatMap
    concatMapStrings
    head
    imap1
    listToAttrs
    mkOption
    nameValuePair
    optionalString
    types
    ;

  # Since 26.05 containers count, too, and interfaces come in the order of their names.
  apart = lib.versionAtLeast lib.trivial.release "26.05";
  machines = if apart then config.allMachines else config.nodes;

  numbers = listToAttrs (
    lib.zipListsWith nameValuePair (attrNames machines) (lib.range 1 254)
  );

  interfacesOf =
    { virtualisation, ... }:
    if apart then
      lib.attrValues virtualisation.allInterfaces
    else
      imap1 (index: vlan: {
        name = "eth${toString index}";
        inherit vlan;
        assignIP = true;
      }) virtualisation.vlans
      ++ lib.mapAttrsToList (name: interface: interface // { inherit name; }) virtualisation.interfaces;

  address4 = vlan: number: "192.168.${toString vlan}.${toString number}";
  address6 = vlan: number: "2001:db8:${toString vlan}::${toString number}";

  # Addresses by which a machine knows another one.
  reachable =
    local: remote:
    let
      primary = [
        remote.networking.primaryIPAddress
        remote.networking.primaryIPv6Address
      ];
      shared = concatMap (
        name:
        let
          vlan = remote.virtualisation.allInterfaces.${name}.vlan or null;
          inherit (remote.networking.interfaces.${name}) ipv4 ipv6;
        in
        if vlan != null && lib.elem vlan local.virtualisation.vlans then
          map (one: one.address) (ipv4.addresses ++ ipv6.addresses)
        else
          [ ]
      ) (attrNames remote.networking.interfaces);
    in
    if apart then
      lib.lists.uniqueStrings (shared ++ primary)
    else
      lib.filter (address: address != "") primary;

  hostLines =
    local: remote:
    let
      inherit (remote.networking) domain hostName;
      names = optionalString (domain != null) "${hostName}.${domain} " + hostName;
    in
    concatMapStrings (address: "${address} ${names}\n") (reachable local remote);

  networkModule =
    { config, ... }:
    let
      number = config.virtualisation.test.nodeNumber;
      addressed = lib.filter (interface: interface.assignIP) (interfacesOf config);
      networkConfig = {
        networking = {
          hostName = lib.mkDefault config.virtualisation.test.nodeName;
          interfaces = listToAttrs (
            map (
              { name, vlan, ... }:
              nameValuePair name {
                ipv4.addresses = [
                  {
                    address = address4 vlan number;
                    prefixLength = 24;
                  }
                ];
                ipv6.addresses = [
                  {
                    address = address6 vlan number;
                    prefixLength = 64;
                  }
                ];
              }
            ) addressed
          );
          primaryIPAddress = optionalString (addressed != [ ]) (address4 (head addressed).vlan number);
          primaryIPv6Address = optionalString (addressed != [ ]) (address6 (head addressed).vlan number);
          extraHosts = concatMapStrings (name: hostLines config machines.${name}) (attrNames machines);
        };
      };
    in
    {
      key = "network-interfaces";
      config = lib.mkMerge [
        networkConfig
        { system.build.networkConfig = networkConfig; }
      ];
    };

  qemuModule =
    { config, pkgs, ... }:
    let
      common = import ../qemu-common.nix { inherit (pkgs) lib stdenv; };
      number = config.virtualisation.test.nodeNumber;
      interfaces = interfacesOf config;
    in
    {
      key = "network-qemu";
      virtualisation.qemu.options = lib.concatLists (
        imap1 (nic: interface: common.qemuNICFlags nic interface.vlan number) interfaces
      );
      boot.initrd.services.udev.rules = concatMapStrings (
        { name, vlan, ... }:
        lib.concatStringsSep "," [
          ''SUBSYSTEM=="net"''
          ''ACTION=="add"''
          ''ATTR{address}=="${lib.toLower (common.qemuNicMac vlan number)}"''
          ''NAME="${name}"''
        ]
        + "\n"
      ) interfaces;
    };

  numberModule =
    { config, name, ... }:
    let
      inherit (config.virtualisation.test) nodeName;
    in
    {
      options = {
        virtualisation.test = {
          nodeName = mkOption {
            internal = true;
            default = name;
            description = "The machine's name in the test, in specialisations as well.";
          };
          nodeNumber = mkOption {
            type = types.int;
            internal = true;
            readOnly = true;
            default = numbers.${config.virtualisation.test.nodeName};
            description = "The machine's number.";
          };
        };

        # A specialisation is called otherwise.
        specialisation = mkOption {
          type = types.attrsOf (
            types.submodule {
              options.configuration = mkOption {
                type = types.submoduleWith {
                  modules = [ { config.virtualisation.test = { inherit nodeName; }; } ];
                };
              };
            }
          );
        };
      };
    };
in
{
  config =
    if apart then
      {
        extraBaseModules.imports = [
          networkModule
          numberModule
        ];
        extraBaseNodeModules.imports = [ qemuModule ];
      }
    else
      {
        extraBaseModules.imports = [
          networkModule
          numberModule
          qemuModule
        ];
      };
}

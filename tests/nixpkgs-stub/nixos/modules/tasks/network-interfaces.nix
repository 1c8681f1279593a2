# Names and addresses of the machine.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib)
    concatMapStrings
    mkOption
    optional
    types
    ;
  cfg = config.networking;
  interfaces = lib.attrValues cfg.interfaces;

  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };

  address = bits: {
    options = {
      address = mkOption {
        type = types.str;
        description = "The address.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 bits;
        description = "How much of it is the network's.";
      };
    };
  };

  route = bits: {
    options = {
      address = mkOption {
        type = types.str;
        description = "The network.";
      };
      prefixLength = mkOption {
        type = types.ints.between 0 bits;
        description = "How long its address is.";
      };
      via = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The next machine on the way.";
      };
      type = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "Type of the route.";
      };
      options = mkOption {
        type = types.attrsOf types.str;
        default = { };
        description = "Further words of `ip route`.";
      };
    };
  };

  family = bits: {
    addresses = mkOption {
      type = types.listOf (types.submodule (address bits));
      default = [ ];
      description = "Addresses.";
    };
    routes = mkOption {
      type = types.listOf (types.submodule (route bits));
      default = [ ];
      description = "Routes.";
    };
  };

  interface =
    { name, ... }:
    {
      options = {
        name = mkOption {
          type = types.str;
          default = name;
          description = "Name of the interface.";
        };
        ipv4 = family 32;
        ipv6 = family 128;
        useDHCP = mkOption {
          type = types.nullOr types.bool;
          default = null;
          description = "Whether it asks for its address.";
        };
        macAddress = mkOption {
          type = types.nullOr types.str;
          default = null;
          description = "Its address on the wire.";
        };
        mtu = mkOption {
          type = types.nullOr types.int;
          default = null;
          description = "Size of packets.";
        };
        virtual = switch false "Whether it is made by the kernel alone.";
        tempAddress = mkOption {
          type = types.str;
          default = "default";
          description = "Whether IPv6 hides its address.";
        };
        wakeOnLan.enable = switch false "Whether it wakes the machine.";
        proxyARP = switch false "Whether it answers for others.";
      };
    };

  gateway = mkOption {
    type = types.nullOr (
      types.coercedTo types.str (address: { inherit address; }) (
        types.submodule {
          options = {
            address = mkOption {
              type = types.str;
              description = "Its address.";
            };
            interface = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "The interface on which it is.";
            };
            metric = mkOption {
              type = types.nullOr types.int;
              default = null;
              description = "How good a way it is.";
            };
            source = mkOption {
              type = types.nullOr types.str;
              default = null;
              description = "The address that is used on it.";
            };
          };
        }
      )
    );
    default = null;
    description = "Where packets to other networks go.";
  };

  addressService =
    one:
    let
      device = "sys-subsystem-net-devices-${utils.escapeSystemdPath one.name}.device";
      addresses = one.ipv4.addresses ++ one.ipv6.addresses;
      routes = one.ipv4.routes ++ one.ipv6.routes;
    in
    {
      name = "network-addresses-${one.name}";
      value = {
        description = "Address configuration of ${one.name}";
        wantedBy = [
          "network-setup.service"
          "network.target"
        ];
        before = [ "network-setup.service" ];
        bindsTo = [ device ];
        after = [
          "network-pre.target"
          device
        ];
        serviceConfig = {
          Type = "oneshot";
          RemainAfterExit = true;
        };
        unitConfig.DefaultDependencies = true;
        stopIfChanged = false;
        path = [ pkgs.iproute2 ];
        script = ''
          ${lib.optionalString (one.mtu != null) "ip link set dev ${one.name} mtu ${toString one.mtu}"}
          ${lib.optionalString (one.macAddress != null) "ip link set dev ${one.name} address ${one.macAddress}"}
          ip link set dev ${one.name} up
          ${concatMapStrings (
            { address, prefixLength }: "ip addr replace ${address}/${toString prefixLength} dev ${one.name}\n"
          ) addresses}
          ${concatMapStrings (
            route:
            "ip route replace ${lib.optionalString (route.type != null) "${route.type} "}${route.address}/${toString route.prefixLength} ${
              lib.optionalString (route.via != null) "via ${route.via} "
            }dev ${one.name} ${toString (lib.mapAttrsToList (word: value: "${word} ${value}") route.options)}\n"
          ) routes}
        '';
        preStop = concatMapStrings (
          { address, prefixLength }: "ip addr del ${address}/${toString prefixLength} dev ${one.name} || true\n"
        ) addresses;
      };
    };

  hosts =
    lib.concatStrings (
      lib.mapAttrsToList (
        address: names: lib.optionalString (names != [ ]) "${address} ${toString names}\n"
      ) cfg.hosts
    )
    + cfg.extraHosts;
in
{
  options.networking = {
    hostName = mkOption {
      type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$";
      default = config.system.nixos.distroId;
      defaultText = "the distribution's";
      description = "Name of the machine.";
    };
    domain = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Its domain.";
    };
    fqdn = mkOption {
      type = types.str;
      default = "${cfg.hostName}${lib.optionalString (cfg.domain != null) ".${cfg.domain}"}";
      defaultText = "host and domain";
      description = "Both.";
    };
    hostId = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "A number for file systems.";
    };
    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      description = "Names by address.";
    };
    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Further lines of /etc/hosts.";
    };
    hostFiles = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Files that make up /etc/hosts.";
    };
    nameservers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Who knows names.";
    };
    search = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Domains that are tried.";
    };
    timeServers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Who knows the time.";
    };
    interfaces = mkOption {
      type = types.attrsOf (types.submodule interface);
      default = { };
      description = "Interfaces by name.";
    };
    defaultGateway = gateway;
    defaultGateway6 = gateway;
    useDHCP = switch true "Whether interfaces without an address ask for one.";
    useNetworkd = switch false "Whether systemd-networkd sets up the network.";
    useHostResolvConf = switch false "Whether a container has its host's name servers.";
    usePredictableInterfaceNames = switch true "Whether interfaces are called by where they are.";
    enableIPv6 = switch true "Whether there is IPv6.";
    localCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Commands when the network is there.";
    };
    dhcpcd = {
      enable = switch true "Whether dhcpcd asks for addresses.";
      extraConfig = mkOption {
        type = types.lines;
        default = "";
        description = "Its settings.";
      };
      denyInterfaces = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Interfaces that it leaves alone.";
      };
      wait = mkOption {
        type = types.str;
        default = "any";
        description = "What it waits for.";
      };
    };
    networkmanager.enable = switch false "The stub has none.";
    wireless.enable = switch false "The stub has none.";
    nftables.enable = switch false "Whether the firewall is made by nft.";
    firewall =
      let
        ports = mkOption {
          type = types.listOf types.port;
          default = [ ];
          description = "Ports that are open.";
        };
        ranges = mkOption {
          type = types.listOf (types.attrsOf types.port);
          default = [ ];
          description = "Ranges of ports that are open.";
        };
        perInterface = {
          allowedTCPPorts = ports;
          allowedUDPPorts = ports;
          allowedTCPPortRanges = ranges;
          allowedUDPPortRanges = ranges;
        };
      in
      perInterface
      // {
        enable = switch true "Whether there is a firewall; that of the stub lets everything pass.";
        allowPing = switch true "Whether the machine answers pings.";
        trustedInterfaces = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Interfaces on which all is open.";
        };
        interfaces = mkOption {
          type = types.attrsOf (types.submodule { options = perInterface; });
          default = { };
          description = "The same by interface.";
        };
        extraCommands = mkOption {
          type = types.lines;
          default = "";
          description = "Further commands.";
        };
        checkReversePath = mkOption {
          type = types.either types.bool types.str;
          default = true;
          description = "Whether packets from nowhere are dropped.";
        };
        logRefusedConnections = switch true "Whether it says whom it refuses.";
        rejectPackets = switch false "Whether it says so to them.";
      };
    nat = {
      enable = switch false "Whether it lets others use its address.";
      externalInterface = mkOption {
        type = types.nullOr types.str;
        default = null;
        description = "The interface to the outside.";
      };
      internalInterfaces = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The interfaces to the inside.";
      };
    };
  };

  config = {
    networking.hosts = {
      "127.0.0.1" = [ "localhost" ];
      "::1" = lib.mkIf cfg.enableIPv6 [ "localhost" ];
      "127.0.0.2" = lib.optionals (cfg.hostName != "" && cfg.hostName != "localhost") (
        optional (cfg.domain != null) cfg.fqdn ++ [ cfg.hostName ]
      );
    };

    boot.kernelParams = optional (!cfg.usePredictableInterfaceNames) "net.ifnames=0";
    boot.kernel.sysctl = lib.mkIf (!cfg.enableIPv6) {
      "net.ipv6.conf.all.disable_ipv6" = true;
    };

    environment.etc = {
      hosts.text = hosts;
      hostname = lib.mkIf (cfg.hostName != "") { text = cfg.hostName + "\n"; };
      "nsswitch.conf".text = ''
        passwd: files
        group: files
        shadow: files
        hosts: files dns
        networks: files
        services: files
        protocols: files
      '';
      "resolv.conf" = lib.mkIf (cfg.nameservers != [ ]) {
        mode = "0644";
        text = concatMapStrings (server: "nameserver ${server}\n") cfg.nameservers;
      };
    };

    systemd.services =
      lib.listToAttrs (
        map addressService (
          lib.filter (one: one.ipv4.addresses ++ one.ipv6.addresses != [ ] || one.mtu != null || one.macAddress != null) interfaces
        )
      )
      // {
        network-setup = {
          description = "Networking Setup";
          after = [
            "network-pre.target"
            "systemd-udevd.service"
            "systemd-sysctl.service"
          ];
          before = [ "network.target" ];
          wants = [ "network.target" ];
          wantedBy = [ "multi-user.target" ];
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
          };
          unitConfig.ConditionCapability = "CAP_NET_ADMIN";
          path = [ pkgs.iproute2 ];
          script = ''
            ${lib.optionalString (cfg.defaultGateway != null) ''
              ip route replace default via ${cfg.defaultGateway.address} ${
                lib.optionalString (cfg.defaultGateway.interface != null) "dev ${cfg.defaultGateway.interface}"
              } || true
            ''}
            ${lib.optionalString (cfg.defaultGateway6 != null) ''
              ip -6 route replace default via ${cfg.defaultGateway6.address} ${
                lib.optionalString (cfg.defaultGateway6.interface != null) "dev ${cfg.defaultGateway6.interface}"
              } || true
            ''}
            ${cfg.localCommands}
          '';
        };

        # The toolbox has no DHCP client. The only network on which a test gets an address from somebody is QEMU's own, where
        # the first machine is always this one.
        dhcpcd = lib.mkIf (cfg.dhcpcd.enable && cfg.useDHCP && !config.boot.isContainer) {
          description = "DHCP Client";
          wantedBy = [ "multi-user.target" ];
          wants = [ "network.target" ];
          before = [ "network-online.target" ];
          after = [ "network-pre.target" ];
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
          };
          unitConfig.ConditionPathExists = "/sys/class/net/eth0";
          path = [ pkgs.iproute2 ];
          script = lib.optionalString (!(cfg.interfaces ? eth0)) ''
            ip link set dev eth0 up
            ip addr replace 10.0.2.15/24 dev eth0
            ip route replace default via 10.0.2.2 dev eth0
            [ -e /etc/resolv.conf ] || echo "nameserver 10.0.2.3" > /etc/resolv.conf
          '';
        };

        firewall = lib.mkIf cfg.firewall.enable {
          description = "Firewall";
          wantedBy = [ "sysinit.target" ];
          wants = [ "network-pre.target" ];
          after = [ "systemd-modules-load.service" ];
          before = [
            "network-pre.target"
            "shutdown.target"
          ];
          conflicts = [ "shutdown.target" ];
          unitConfig.DefaultDependencies = false;
          serviceConfig = {
            Type = "oneshot";
            RemainAfterExit = true;
            ExecStart = "${pkgs.coreutils}/bin/true";
            ExecStop = "${pkgs.coreutils}/bin/true";
          };
        };
      };
  };
}

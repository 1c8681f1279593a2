# Services that systemd itself needs: udev, dbus, logind.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services;
  inherit (pkgs) userland;

  packages = mkOption {
    type = types.listOf types.path;
    default = [ ];
    description = "Packages with its files.";
  };

  dbusConfig = pkgs.writeTextDir "system.conf" ''
    <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig>
      <type>system</type>
      <user>messagebus</user>
      <listen>unix:path=/run/dbus/system_bus_socket</listen>
      <auth>EXTERNAL</auth>
      <servicehelper>${userland}/bin/false</servicehelper>
      <policy context="default">
        <allow user="*"/>
        <deny own="*"/>
        <deny send_type="method_call"/>
        <allow send_type="signal"/>
        <allow send_requested_reply="true" send_type="method_return"/>
        <allow send_requested_reply="true" send_type="error"/>
        <allow receive_type="method_call"/>
        <allow receive_type="method_return"/>
        <allow receive_type="error"/>
        <allow receive_type="signal"/>
        <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/>
        <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Introspectable"/>
        <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus.Properties"/>
      </policy>
      <policy user="root">
        <allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.systemd1.Activator"/>
      </policy>
      ${lib.concatMapStrings (package: ''
        <servicedir>${package}/share/dbus-1/system-services</servicedir>
        <includedir>${package}/share/dbus-1/system.d</includedir>
      '') cfg.dbus.packages}
    </busconfig>
  '';
in
{
  options.services = {
    udev = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there is udev.";
      };
      inherit packages;
      path = packages;
      extraRules = mkOption {
        type = types.lines;
        default = "";
        description = "Further rules.";
      };
    };
    dbus = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there is a bus.";
      };
      inherit packages;
      implementation = mkOption {
        type = types.enum [
          "dbus"
          "broker"
        ];
        default = "dbus";
        description = "Which; the stub has the first.";
      };
    };
    logind.lidSwitch = mkOption {
      type = types.str;
      default = "suspend";
      description = "What closing the lid does.";
    };
  };

  config = {
    services.dbus.packages = [ userland ];

    environment.etc = {
      "udev/rules.d".source = pkgs.runCommand "udev-rules" {
        extra = cfg.udev.extraRules;
        passAsFile = [ "extra" ];
        packages = map toString cfg.udev.packages;
        preferLocalBuild = true;
      } ''
        mkdir $out
        cp ${userland}/example/rules.d/*.rules $out/
        for package in $packages; do cp -f "$package"/{etc,lib}/udev/rules.d/*.rules $out/ 2> /dev/null || true; done
        cp "$extraPath" $out/99-local.rules
      '';
      "dbus-1/system.conf".source = "${dbusConfig}/system.conf";
    };

    users.users = {
      messagebus = {
        uid = 4;
        isSystemUser = true;
        group = "messagebus";
        description = "D-Bus system message bus daemon user";
      };
    }
    // lib.genAttrs [ "systemd-network" "systemd-resolve" "systemd-timesync" ] (name: {
      isSystemUser = true;
      group = name;
    });
    users.groups = lib.genAttrs [ "systemd-network" "systemd-resolve" "systemd-timesync" ] (_name: { });

    systemd.services = {
      dbus = {
        restartIfChanged = false;
        serviceConfig.ExecStart = [
          ""
          "@${userland}/bin/dbus-daemon dbus-daemon --config-file=/etc/dbus-1/system.conf --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only"
        ];
      };
      # Links have the names that the kernel gives them.
      systemd-udevd.restartIfChanged = false;
    };
    systemd.sockets.dbus.wantedBy = [ "sockets.target" ];
  };
}

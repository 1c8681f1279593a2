# What a machine of a test has for whoever drives it.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkDefault
    mkIf
    mkOption
    mkOverride
    types
    ;
  since = lib.versionAtLeast lib.trivial.release;
  # Before 25.11 it could not be switched off.
  hasOptions = since "25.11";
  serial = (import ../../lib/qemu-common.nix { inherit lib pkgs; }).qemuSerialDevice;
  backdoor = if hasOptions then config.testing.backdoor else true;
  initrdBackdoor = config.testing.initrdBackdoor;

  devices = [
    "dev-hvc0.device"
    "dev-${serial}.device"
  ];
  rootShell = {
    requires = devices;
    after = devices;
    script = ''
      export USER=root HOME=/root DISPLAY=:0.0 PAGER= PS1=
      [ ! -e /etc/profile ] || . /etc/profile
      cd /tmp
      exec < /dev/hvc0 > /dev/hvc0 2> /dev/${serial}
      echo "connecting to host..." >&2
      stty -F /dev/hvc0 raw -echo
      echo "Spawning backdoor root shell..."
      exec bash --norc /dev/hvc0
    '';
    serviceConfig.KillSignal = "SIGHUP";
  };

  # What ends the shell of stage 1.
  leaving = [
    "initrd-switch-root.target"
    "shutdown.target"
  ];

  journal = ''
    ForwardToConsole=yes
    ${lib.optionalString hasOptions "TTYPath=/dev/${serial}"}
    MaxLevelConsole=debug
  '';

  timeouts = {
    DefaultTimeoutStartSec = 300;
    DefaultDeviceTimeoutSec = 300;
  };
  manager = {
    ShowStatus = "no";
  }
  // timeouts
  // lib.optionalAttrs (since "26.05") { MinimumUptimeSec = 0; };
  asText = settings: lib.concatStrings (lib.mapAttrsToList (key: value: "${key}=${toString value}\n") settings);
in
{
  options.testing = {
    initrdBackdoor = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the driver talks to the initrd, too.";
    };
  }
  // lib.optionalAttrs hasOptions {
    backdoor = mkOption {
      type = types.bool;
      default = if since "26.05" then !config.boot.isContainer else true;
      description = "Whether there is a root shell for the driver.";
    };
  };

  config = {
    assertions = [
      {
        assertion = initrdBackdoor -> config.boot.initrd.systemd.enable;
        message = "testing.initrdBackdoor requires boot.initrd.systemd.enable to be enabled.";
      }
    ];

    systemd = lib.mkMerge [
      (
        if hasOptions then
          {
            settings.Manager = manager;
            user = if since "26.05" then { settings.Manager = timeouts; } else { extraConfig = asText timeouts; };
          }
        else
          {
            extraConfig = asText manager;
            user.extraConfig = asText timeouts;
          }
      )
      {
        services = {
          backdoor = mkIf backdoor (
            rootShell
            // {
              wantedBy = [ "multi-user.target" ];
            }
          );
          "serial-getty@${serial}".enable = false;
          "serial-getty@hvc0".enable = false;
        };
      }
    ];

    boot = {
      kernel.sysctl = {
        "kernel.hung_task_timeout_secs" = 600;
        "vm.panic_on_oom" = mkDefault 2;
      };
      kernelParams = [
        "console=${serial}"
      ]
      ++ lib.optional hasOptions "console=tty0"
      ++ [
        "panic=1"
        "boot.panic_on_fail"
        "clocksource=acpi_pm"
      ];
      consoleLogLevel = 7;
      initrd.systemd = lib.mkMerge [
        (if hasOptions then { settings.Manager = manager; } else { extraConfig = asText manager; })
        { contents."/etc/systemd/journald.conf".text = "[Journal]\n${journal}"; }
        (mkIf initrdBackdoor {
          services = {
            backdoor = rootShell // {
              wantedBy = [ "sysinit.target" ];
              before = leaving;
              conflicts = leaving;
              unitConfig.DefaultDependencies = false;
            };
            # Whoever drives the machine says when it leaves stage 1.
            initrd-cleanup.serviceConfig.ExecStart = [
              ""
              "/bin/true"
            ];
          };
        })
      ];
    };

    services = {
      journald.extraConfig = journal;
      displayManager.logToJournal = true;
      logrotate.enable = mkOverride 150 false;
      qemuGuest.package = pkgs.qemu_test.ga;
    };

    networking = {
      defaultGateway = mkOverride 150 null;
      nameservers = mkOverride 150 [ ];
      usePredictableInterfaceNames = false;
    };

    users.users.root.hashedPasswordFile = mkOverride 150 "${pkgs.writeText "hashed-password.root" ""}";
    environment.systemPackages = [ (if hasOptions then pkgs.xwininfo else pkgs.xorg.xwininfo) ];
    system.stateVersion = if hasOptions then mkOverride 1200 lib.trivial.release else mkDefault lib.trivial.release;

    virtualisation = lib.optionalAttrs (options ? virtualisation.qemu) {
      qemu = {
        package = mkDefault pkgs.qemu_test;
      }
      // lib.optionalAttrs (!hasOptions) { consoles = [ serial ]; };
    };
  };
}

# systemd: its own units, those of the configuration, and its settings.
{
  config,
  lib,
  pkgs,
  utils,
  ...
}:
let
  inherit (lib)
    mkOption
    types
    ;
  since = lib.versionAtLeast lib.trivial.release;
  cfg = config.systemd;
  render = import ./systemd/render.nix { inherit lib pkgs utils; };
  unitOptions = import ./systemd/unit-options.nix { inherit lib; };

  managerText =
    settings: extra:
    "[Manager]\n"
    + lib.concatStrings (lib.mapAttrsToList render.setting settings)
    + extra;
in
{
  options.systemd =
    unitOptions.kinds
    // {
      package = mkOption {
        type = types.package;
        default = pkgs.systemd;
        defaultText = "pkgs.systemd";
        description = "systemd.";
      };
      packages = mkOption {
        type = types.listOf types.package;
        default = [ ];
        description = "Packages with units.";
      };
      units = unitOptions.textUnits;
      inherit (unitOptions) mounts automounts;
      globalEnvironment = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
        default = { };
        description = "Variables of all services.";
      };
      managerEnvironment = mkOption {
        type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.package ]));
        default = { };
        description = "Variables of systemd.";
      };
      enableEmergencyMode = mkOption {
        type = types.bool;
        default = true;
        description = "Whether a shell is offered when the system does not come up.";
      };
      defaultUnit = mkOption {
        type = types.str;
        default = "multi-user.target";
        description = "The unit that the system is up with.";
      };
      ctrlAltDelUnit = mkOption {
        type = types.str;
        default = "reboot.target";
        description = "The unit that the three keys start.";
      };
      suppressedSystemUnits = unitOptions.names "Units of systemd that are left out.";
      additionalUpstreamSystemUnits = unitOptions.names "Further units of systemd.";
      tmpfiles = {
        rules = mkOption {
          type = types.listOf types.str;
          default = [ ];
          description = "Lines for systemd-tmpfiles.";
        };
        packages = mkOption {
          type = types.listOf types.package;
          default = [ ];
          description = "Packages with such lines.";
        };
        settings = mkOption {
          type = types.attrsOf (types.attrsOf (types.attrsOf types.attrs));
          default = { };
          description = "The same by file, path and kind.";
        };
      };
      oomd.enable = mkOption {
        type = types.bool;
        default = false;
        description = "The stub has none.";
      };
      coredump.enable = mkOption {
        type = types.bool;
        default = false;
        description = "The stub has none.";
      };
      network = {
        enable = mkOption {
          type = types.bool;
          default = false;
          description = "Whether systemd-networkd sets up the network; that of the stub does not.";
        };
        wait-online.enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether somebody waits for it.";
        };
      };
      user =
        unitOptions.kinds
        // {
          units = unitOptions.textUnits;
          tmpfiles.rules = mkOption {
            type = types.listOf types.str;
            default = [ ];
            description = "Lines for each user's systemd-tmpfiles.";
          };
        }
        // (
          if since "26.05" then
            {
              settings.Manager = mkOption {
                type = types.attrsOf types.raw;
                default = { };
                description = "Settings of each user's systemd.";
              };
            }
          else
            {
              extraConfig = mkOption {
                type = types.lines;
                default = "";
                description = "Settings of each user's systemd.";
              };
            }
        );
    }
    // (
      if since "25.11" then
        {
          settings = mkOption {
            type = unitOptions.settings;
            default = { };
            description = "Settings of systemd.";
          };
        }
      else
        {
          extraConfig = mkOption {
            type = types.lines;
            default = "";
            description = "Settings of systemd.";
          };
        }
    );

  config = {
    systemd = {
      units = render.texts cfg "system";
      user.units = render.texts cfg.user "user";

      managerEnvironment = {
        PATH = lib.mkDefault "${pkgs.userland}/bin";
        LOCALE_ARCHIVE = lib.mkDefault "/run/current-system/sw/lib/locale/locale-archive";
      };

      tmpfiles.rules = [ "d /nix/var 0755 root root - -" ];
    };

    system.build.units = render.units {
      name = "system-units";
      inherit (cfg) units packages;
      upstream = lib.subtractLists cfg.suppressedSystemUnits (
        import ./systemd/upstream-units.nix ++ cfg.additionalUpstreamSystemUnits
      );
      folder = "system";
      inherit (cfg) defaultUnit ctrlAltDelUnit;
      systemd = cfg.package;
    };

    environment.etc = {
      "systemd/system".source = config.system.build.units;
      "systemd/user".source = render.units {
        name = "user-units";
        inherit (cfg.user) units;
        inherit (cfg) packages;
        upstream = null;
        folder = "user";
        systemd = cfg.package;
      };
      "systemd/system.conf".text =
        managerText
          (
            {
              ManagerEnvironment = lib.concatStringsSep " " (
                lib.mapAttrsToList (name: value: "${name}=${toString value}") cfg.managerEnvironment
              );
            }
            // cfg.settings.Manager or { }
          )
          cfg.extraConfig or "";
      "systemd/user.conf".text = managerText (
        {
          ManagerEnvironment = "PATH=${pkgs.userland}/bin";
        }
        // cfg.user.settings.Manager or { }
      ) cfg.user.extraConfig or "";
      "systemd/system-generators".source = "${cfg.package}/lib/systemd/system-generators";
      "tmpfiles.d/00-nixos.conf".text = lib.concatMapStrings (rule: "${rule}\n") cfg.tmpfiles.rules;
    }
    // lib.genAttrs' [ "static-nodes-permissions" "systemd" "systemd-nologin" "systemd-tmp" "tmp" "dbus" ] (
      name:
      lib.nameValuePair "tmpfiles.d/${name}.conf" {
        source = "${cfg.package}/example/tmpfiles.d/${name}.conf";
      }
    );
  };
}

# Variants of the system that are built with it.
{
  config,
  extendModules,
  lib,
  noUserModules,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;

  mark = {
    isSpecialisation = true;
    specialisation = lib.mkOverride 0 { };
    boot.loader.grub.device = lib.mkOverride 0 "";
  };
  inherited = extendModules { modules = [ mark ]; };
  bare = noUserModules.extendModules { modules = [ mark ]; };
in
{
  options = {
    isSpecialisation = mkOption {
      type = types.bool;
      internal = true;
      default = false;
      description = "Whether it is a variant.";
    };

    specialisation = mkOption {
      default = { };
      description = "The variants by name.";
      type = types.attrsOf (
        types.submodule (
          { config, ... }:
          {
            options = {
              inheritParentConfig = mkOption {
                type = types.bool;
                default = true;
                description = "Whether it begins with this configuration.";
              };
              configuration = mkOption {
                type = if config.inheritParentConfig then inherited.type else bare.type;
                default = { };
                visible = "shallow";
                description = "What is different in it.";
              };
            };
          }
        )
      );
    };

    # Their names are set, but whether any is built is not known without building them.
    system.switch = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether one can switch to the system while it runs.";
      };
      enableNg = mkOption {
        type = types.bool;
        default = true;
        internal = true;
        description = "By which program; the stub has one.";
      };
    };
  };

  config.system.systemBuilderCommands = lib.mkIf config.system.switch.enable ''
    mkdir $out/bin
    cat > $out/bin/switch-to-configuration <<'END'
    #!${pkgs.runtimeShell}
    # switch-to-configuration switch|boot|test: activates the system, and starts the units that are new in it.
    export PATH=${lib.makeBinPath [ pkgs.userland ]}
    toplevel=$(readlink -f "''${0%/bin/*}")
    # One that no boot loader starts has none that wants to know.
    install=${
      if config.virtualisation.useBootLoader or false then config.system.build.installBootLoader else "true"
    }
    case $1 in
    boot) exec $install "$toplevel" ;;
    switch) $install "$toplevel" ;;
    test) ;;
    *) exit 1 ;;
    esac
    units() { [ ! -d "$1/etc/systemd/system" ] || (cd "$1/etc/systemd/system" && printf '%s\n' *.service); }
    before=$(readlink -f /run/current-system)
    "$toplevel/activate" || status=$?
    systemctl daemon-reload
    # Units that are not there any more, and those that are different.
    for unit in $(units "$before"); do
      old=$before/etc/systemd/system/$unit
      new=$toplevel/etc/systemd/system/$unit
      case $unit in *@.service) continue ;; esac
      if [ ! -e "$new" ]; then
        systemctl stop "$unit"
      elif ! cmp -s "$old" "$new" && ! grep -q '^X-RestartIfChanged=false' "$new"; then
        systemctl try-restart "$unit"
      fi
    done
    systemctl start --no-block multi-user.target
    exit ''${status-0}
    END
    chmod 555 $out/bin/switch-to-configuration
  '';
}

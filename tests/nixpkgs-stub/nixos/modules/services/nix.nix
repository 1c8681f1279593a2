# Nix in the guest: the programs, their settings, and the users that build. There is no daemon: root does it all itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.nix;

  builders = map (number: "nixbld${toString number}") (lib.range 1 4);

  textOf = value: if builtins.isBool value then lib.boolToString value else toString value;
in
{
  options.nix = {
    # Most guests do without, so that they are small.
    enable = mkOption {
      type = types.bool;
      default = false;
      description = "Whether there is Nix.";
    };
    package = mkOption {
      type = types.package;
      default = pkgs.nix;
      defaultText = "pkgs.nix";
      description = "Nix.";
    };
    settings = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Its settings.";
    };
    nixPath = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "NIX_PATH.";
    };
    registry = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      description = "Names of flakes.";
    };
    extraOptions = mkOption {
      type = types.lines;
      default = "";
      description = "Further settings.";
    };
    channel.enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether there are channels; the stub has none.";
    };
    gc.automatic = mkOption {
      type = types.bool;
      default = false;
      description = "Whether garbage is collected; the stub does not.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];

    environment.etc."nix/nix.conf".text = ''
      ${lib.concatMapStrings (name: "${name} = ${textOf cfg.settings.${name}}\n") (lib.attrNames cfg.settings)}
      ${cfg.extraOptions}
    '';

    nix.settings = {
      build-users-group = "nixbld";
      sandbox = lib.mkDefault true;
      sandbox-paths = [ "/bin/sh=${cfg.package}/share/bash-static" ];
      substituters = lib.mkDefault [ ];
    };

    users.groups.nixbld.members = builders;
    users.users = lib.genAttrs builders (name: {
      isSystemUser = true;
      description = "Nix build user";
      group = "nixbld";
      extraGroups = [ "nixbld" ];
    });
  };
}

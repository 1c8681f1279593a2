# Names and numbers of the system.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.system.nixos;

  text = default: description: mkOption {
    type = types.str;
    inherit default description;
  };
in
{
  options.system = {
    nixos = {
      release = mkOption {
        type = types.str;
        readOnly = true;
        default = lib.trivial.release;
        description = "The release.";
      };
      version = mkOption {
        type = types.str;
        internal = true;
        default = cfg.release + cfg.versionSuffix;
        defaultText = "release and suffix";
        description = "The whole version.";
      };
      versionSuffix = text lib.trivial.versionSuffix "What comes after the release.";
      revision = mkOption {
        type = types.nullOr types.str;
        internal = true;
        default = null;
        description = "The commit.";
      };
      codeName = text lib.trivial.codeName "The release's name.";
      distroId = text "nixos" "The distribution in machines' words.";
      distroName = text "NixOS" "The distribution in people's words.";
      label = text cfg.version "Name in boot menus and in the toplevel's name.";
      tags = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Words in the label.";
      };
    };
    stateVersion = text cfg.release "The release that the machine was first set up with.";
    configurationRevision = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The commit of the configuration.";
    };
    name = mkOption {
      type = types.str;
      default = if config.networking.hostName == "" then "unnamed" else config.networking.hostName;
      defaultText = "the host's name";
      description = "Name of the system in the toplevel's name.";
    };
  };

  config.environment.etc.os-release.text = ''
    NAME=${cfg.distroName}
    ID=${cfg.distroId}
    VERSION_ID="${cfg.release}"
    PRETTY_NAME="${cfg.distroName} ${cfg.release} (${cfg.codeName})"
    BUILD_ID="${cfg.version}"
  '';
}

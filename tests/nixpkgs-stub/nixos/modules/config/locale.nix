# Language, time zone and keyboard, as far as configurations set them.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options = {
    i18n.defaultLocale = mkOption {
      type = types.str;
      default = "C.UTF-8";
      description = "The locale.";
    };
    time.timeZone = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "The time zone.";
    };
    console = {
      enable = mkOption {
        type = types.bool;
        default = true;
        description = "Whether there are virtual consoles.";
      };
      keyMap = mkOption {
        type = types.either types.str types.path;
        default = "us";
        description = "The keyboard.";
      };
      font = mkOption {
        type = types.nullOr (types.either types.str types.path);
        default = null;
        description = "The font.";
      };
    };
  };
}

# The journal.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  cfg = config.services.journald;
in
{
  options.services.journald = {
    console = mkOption {
      type = types.str;
      default = "";
      description = "Where it is shown, beside the journal.";
    };
    storage = mkOption {
      type = types.enum [
        "persistent"
        "volatile"
        "auto"
        "none"
      ];
      default = "persistent";
      description = "Where it is kept.";
    };
    rateLimitBurst = mkOption {
      type = types.int;
      default = 10000;
      description = "How many messages a service may send in a time.";
    };
    rateLimitInterval = mkOption {
      type = types.str;
      default = "30s";
      description = "That time.";
    };
    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Further settings.";
    };
    forwardToSyslog = mkOption {
      type = types.bool;
      default = false;
      description = "Whether another program gets the messages.";
    };
  };

  config = {
    systemd.tmpfiles.rules = [ "d /var/log/journal 2755 root systemd-journal - -" ];
    environment.etc."systemd/journald.conf".text = ''
      [Journal]
      Storage=${cfg.storage}
      RateLimitInterval=${cfg.rateLimitInterval}
      RateLimitBurst=${toString cfg.rateLimitBurst}
      ForwardToSyslog=${if cfg.forwardToSyslog then "yes" else "no"}
      ${lib.optionalString (cfg.console != "") "ForwardToConsole=yes\nTTYPath=${cfg.console}"}
      ${cfg.extraConfig}
    '';
  };
}

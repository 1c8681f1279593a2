# Logins on consoles.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.services.getty;
  agetty =
    arguments:
    [
      ""
      "@${pkgs.util-linux}/bin/agetty agetty --login-program ${cfg.loginProgram} ${
        lib.optionalString (cfg.autologinUser != null) "--autologin ${cfg.autologinUser} "
      }${toString cfg.extraArgs} ${arguments}"
    ];
in
{
  options.services.getty = {
    autologinUser = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Who is logged in without a question.";
    };
    autologinOnce = mkOption {
      type = types.bool;
      default = false;
      description = "Whether only the first time.";
    };
    loginProgram = mkOption {
      type = types.path;
      default = "${pkgs.shadow}/bin/login";
      defaultText = "login";
      description = "The program that asks.";
    };
    loginOptions = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Its arguments.";
    };
    extraArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Arguments of agetty.";
    };
    greetingLine = mkOption {
      type = types.str;
      default = "<<< Welcome to ${config.system.nixos.distroName} ${config.system.nixos.label} (\\m) - \\l >>>";
      defaultText = "a welcome";
      description = "What it says first.";
    };
    helpLine = mkOption {
      type = types.lines;
      default = "";
      description = "What it says then.";
    };
  };

  config = {
    systemd.services = {
      "getty@".serviceConfig.ExecStart = agetty "--noclear --keep-baud %I 115200,38400,9600 $TERM";
      "serial-getty@".serviceConfig.ExecStart = agetty "--keep-baud %I $TERM";
    };
    # By this name, since a file of `getty@tty1` would hide what the template is told.
    systemd.targets.getty.wants = lib.mkIf config.console.enable [ "autovt@tty1.service" ];
    environment.etc.issue = {
      mode = "0444";
      text = "${cfg.greetingLine}\n${cfg.helpLine}\n";
    };
  };
}

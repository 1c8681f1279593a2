# Settings of the kernel.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  value = types.nullOr (
    types.oneOf [
      types.bool
      types.int
      types.str
    ]
  );
  show = setting: if setting == false then "0" else toString setting;
in
{
  options.boot.kernel.sysctl = mkOption {
    type = types.submodule { freeformType = types.attrsOf value; };
    default = { };
    description = "The settings; null leaves one as it is.";
  };

  config = {
    environment.etc."sysctl.d/60-nixos.conf".text = lib.concatStrings (
      lib.mapAttrsToList (name: setting: lib.optionalString (setting != null) "${name}=${show setting}\n") config.boot.kernel.sysctl
    );
    boot.kernel.sysctl = {
      "kernel.printk" = lib.mkDefault config.boot.consoleLogLevel;
      "net.ipv4.ping_group_range" = lib.mkDefault "0 2147483647";
    };
  };
}

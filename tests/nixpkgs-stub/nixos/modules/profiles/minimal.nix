# Without what a small machine does not need.
{ lib, ... }:
{
  documentation = lib.genAttrs [ "doc" "info" "man" "nixos" ] (_name: {
    enable = lib.mkDefault false;
  });
  services.logrotate.enable = lib.mkDefault false;
  xdg = lib.genAttrs [ "autostart" "icons" "mime" "sounds" ] (_name: {
    enable = lib.mkDefault false;
  });
}

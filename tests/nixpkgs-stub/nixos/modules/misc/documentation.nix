# There is none; configurations switch it off.
{ lib, ... }:
let
  switch = lib.mkOption {
    type = lib.types.bool;
    default = true;
    description = "Whether there is documentation of this kind.";
  };
in
{
  options.documentation = {
    enable = switch;
    dev.enable = switch;
    doc.enable = switch;
    info.enable = switch;
    man.enable = switch;
    nixos.enable = switch;
  };
}

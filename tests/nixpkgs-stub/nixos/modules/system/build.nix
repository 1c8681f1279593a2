# What can be built of a configuration, by name.
{ lib, ... }:
let
  inherit (lib) types;
in
{
  options.system.build = lib.mkOption {
    default = { };
    description = "What can be built.";
    type = types.submoduleWith {
      modules = [ { freeformType = types.lazyAttrsOf (types.uniq types.unspecified); } ];
    };
  };
}

# What modules say of themselves.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.meta = {
    maintainers = mkOption {
      type = types.listOf types.raw;
      internal = true;
      default = [ ];
      description = "Who looks after a module.";
    };
    teams = mkOption {
      type = types.listOf types.raw;
      internal = true;
      default = [ ];
      description = "Which teams do.";
    };
    doc = mkOption {
      type = types.anything;
      internal = true;
      default = null;
      description = "A module's chapter of the manual.";
    };
    buildDocsInSandbox = mkOption {
      type = types.bool;
      internal = true;
      default = true;
      description = "Whether the manual can be made without the configuration.";
    };
  };
}

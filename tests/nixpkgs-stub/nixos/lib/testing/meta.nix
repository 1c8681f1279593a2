# What the derivation says of itself: a closed set.
{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.meta = mkOption {
    default = { };
    description = "Attributes `meta` of the test. Those that are null are left out.";
    apply = lib.filterAttrs (_name: value: value != null);
    type = types.submodule {
      options = {
        maintainers = mkOption {
          type = types.listOf types.raw;
          default = [ ];
          description = "Who looks after the test.";
        };
        timeout = mkOption {
          type = types.nullOr types.int;
          default = 3600;
          description = "Seconds that a build farm gives it.";
        };
        broken = mkOption {
          type = types.bool;
          default = false;
          description = "Whether it is known to fail.";
        };
        platforms = mkOption {
          type = types.listOf types.raw;
          default = lib.platforms.linux ++ lib.platforms.darwin;
          description = "Hosts that it can run on.";
        };
      }
      // lib.optionalAttrs (lib.versionAtLeast lib.trivial.release "25.11") {
        teams = mkOption {
          type = types.listOf types.raw;
          default = [ ];
          description = "Which teams look after the test.";
        };
      };
    };
  };
}

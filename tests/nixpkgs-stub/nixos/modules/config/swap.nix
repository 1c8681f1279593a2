{ lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.swapDevices = mkOption {
    default = [ ];
    description = "Where memory is put that is not in use. The stub writes it into /etc/fstab and makes none.";
    type = types.listOf (
      types.submodule {
        options = {
          device = mkOption {
            type = types.nonEmptyStr;
            description = "The device or file.";
          };
          size = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "Size of the file in MiB.";
          };
          priority = mkOption {
            type = types.nullOr types.int;
            default = null;
            description = "Which is used first.";
          };
        };
      }
    );
  };
}

{ lib, ... }:
let
  switch = description: lib.mkOption {
    type = lib.types.bool;
    default = false;
    inherit description;
  };
in
{
  options.boot.tmp = {
    cleanOnBoot = switch "Whether /tmp is emptied at boot.";
    useTmpfs = switch "Whether /tmp lies in memory.";
    tmpfsSize = lib.mkOption {
      type = lib.types.oneOf [ lib.types.str lib.types.ints.positive ];
      default = "50%";
      description = "How large it may become.";
    };
  };
}

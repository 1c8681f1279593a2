# The size of the machine's disk.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
in
{
  options.virtualisation = {
    diskSizeAutoSupported = mkOption {
      type = types.bool;
      internal = true;
      default = true;
      description = "Whether whoever makes the disk can tell its size.";
    };
    diskSize = mkOption {
      type = types.either (types.enum [ "auto" ]) types.ints.positive;
      default = if config.virtualisation.diskSizeAutoSupported then "auto" else 1024;
      description = "Size of the disk in MiB.";
    };
  };
}

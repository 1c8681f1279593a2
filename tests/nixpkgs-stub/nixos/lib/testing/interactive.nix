# The test once more, with what is different when a person drives it.
{
  config,
  hostPkgs,
  lib,
  moduleType,
  ...
}:
{
  options.interactive = lib.mkOption {
    type = moduleType;
    visible = "shallow";
    description = "Definitions that hold in `driverInteractive` only.";
  };

  config = {
    interactive.qemu.package = hostPkgs.qemu;
    interactive.extraDriverArgs = [ "--interactive" ];
    passthru.driverInteractive = config.interactive.driver;
  };
}

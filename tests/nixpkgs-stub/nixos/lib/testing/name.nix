{ lib, ... }:
{
  options.name = lib.mkOption {
    type = lib.types.str;
    description = "Name of the test.";
  };
}

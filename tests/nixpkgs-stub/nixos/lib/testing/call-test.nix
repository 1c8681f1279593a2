# What a test evaluates to for whoever asked for it.
{ config, lib, ... }:
{
  options.result = lib.mkOption {
    internal = true;
    default = config;
    description = "What the caller gets: the configuration, or the test.";
  };
}

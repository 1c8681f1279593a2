# Test modules that ask for packages get those of the host.
{ hostPkgs, ... }:
{
  config._module.args.pkgs = hostPkgs;
}

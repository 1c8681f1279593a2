# The toolbox's kernel, as the kernels of nixpkgs look.
{ lib, pkgs }:
let
  kernel = pkgs.toolboxPackage {
    tool = "kernel";
    pname = "linux";
    version = "6.12";
    passthru = {
      # In the toolbox's kernel it is called so; `system.boot.loader.kernelFile` says where it is looked for.
      target = "vmlinuz";
      kernelOlder = lib.versionOlder "6.12";
      kernelAtLeast = lib.versionAtLeast "6.12";
      features = { };
      config = {
        isEnabled = _: true;
        isYes = _: true;
        isModule = _: true;
        isSet = _: true;
      };
    };
  };

  linuxPackages = {
    inherit kernel;
    extend = _overlay: linuxPackages;
  };
in
{
  inherit linuxPackages;
  linux = kernel;
  linuxPackages_latest = linuxPackages;
  linuxPackagesFor = kernel: linuxPackages // { inherit kernel; };
}

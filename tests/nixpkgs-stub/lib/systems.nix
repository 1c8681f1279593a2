# Platforms: Linux on x86_64 and aarch64, which is all that machines are made for.
{ lib }:
let
  linux = [
    "x86_64-linux"
    "aarch64-linux"
  ];
  darwin = [
    "x86_64-darwin"
    "aarch64-darwin"
  ];
in
{
  platforms = {
    inherit linux darwin;
    all = linux ++ darwin;
    unix = linux ++ darwin;
    x86_64 = [
      "x86_64-linux"
      "x86_64-darwin"
    ];
    aarch64 = [
      "aarch64-linux"
      "aarch64-darwin"
    ];
  };
  flakeExposed = linux ++ darwin;
  doubles.all = linux ++ darwin;

  elaborate =
    platform:
    let
      system = if builtins.isString platform then platform else platform.system;
      cpu = builtins.head (lib.splitString "-" system);
      os = lib.last (lib.splitString "-" system);
      target = if cpu == "aarch64" then "Image" else "bzImage";
    in
    {
      inherit system;
      config = "${cpu}-unknown-linux-gnu";
      isLinux = os == "linux";
      isDarwin = os == "darwin";
      isx86_64 = cpu == "x86_64";
      isx86 = cpu == "x86_64";
      isAarch64 = cpu == "aarch64";
      isAarch = cpu == "aarch64";
      isAarch32 = false;
      isi686 = false;
      isPower = false;
      isRiscV = false;
      isS390 = false;
      is64bit = true;
      is32bit = false;
      isEfi = true;
      isGnu = true;
      isMusl = false;
      isStatic = false;
      qemuArch = cpu;
      linuxArch = if cpu == "aarch64" then "arm64" else cpu;
      efiArch = if cpu == "aarch64" then "aa64" else "x64";
      parsed = {
        cpu.name = cpu;
        kernel.name = os;
      };
      linux-kernel = {
        name = "stub";
        inherit target;
        DTB = false;
        autoModules = true;
      };
      emulatorAvailable = _packages: true;
      canExecute = other: other.system or other == system;
    };
}

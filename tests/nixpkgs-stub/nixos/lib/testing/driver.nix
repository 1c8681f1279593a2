# The program that runs a test, with its options. The stub has none: what stands for it here cannot be built.
{
  config,
  hostPkgs,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  since = lib.versionAtLeast lib.trivial.release;

  driver = hostPkgs.runCommand "nixos-test-driver-${config.name}" {
    meta = config.meta // {
      mainProgram = "nixos-test-driver";
    };
    inherit (config) passthru;
    # Looked at as the real one does, so that what is wrong in a test shows.
    inherit (config) testScriptString;
    preferLocalBuild = true;
  } "echo 'the stub of nixpkgs has no test driver of its own' >&2; exit 1";
in
{
  options = {
    driver = mkOption {
      type = types.package;
      description = "The program that runs the test.";
    };

    hostPkgs = mkOption {
      type = types.raw;
      description = "Packages of the side that drives the machines.";
    };

    qemu = {
      package = mkOption {
        type = types.package;
        default = hostPkgs.qemu_test;
        defaultText = "hostPkgs.qemu_test";
        description = "QEMU that runs the machines.";
      };
    }
    // lib.optionalAttrs (since "26.05") {
      forceAccel = mkOption {
        type = types.bool;
        default = false;
        description = "Whether the machines may not be emulated.";
      };
    };

    globalTimeout = mkOption {
      type = types.int;
      default = 3600;
      description = "Seconds that the whole test may take.";
    };

    enableOCR = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the script reads screens.";
    };

    extraPythonPackages = mkOption {
      type = types.functionTo (types.listOf types.package);
      default = _packages: [ ];
      description = "Python packages for the script.";
    };

    extraDriverArgs = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Further arguments of the driver.";
    };

    skipLint = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the script's style goes unchecked.";
    };

    skipTypeCheck = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the script's types go unchecked.";
    };
  }
  // lib.optionalAttrs (since "26.05") {
    logLevel = mkOption {
      type = types.enum [
        "debug"
        "info"
        "warning"
        "error"
      ];
      default = "info";
      description = "What the driver logs.";
    };

    pythonTestDriverPackage = mkOption {
      type = types.package;
      default = hostPkgs.nixos-test-driver;
      defaultText = "hostPkgs.nixos-test-driver";
      readOnly = true;
      internal = true;
      description = "The driver without a test.";
    };
  };

  config = {
    # As weak as a definition can be that is not a default: a test's own `_module.args.hostPkgs` joins with it.
    _module.args.hostPkgs = lib.mkOverride lib.modules.defaultOverridePriority config.hostPkgs;

    driver = lib.warnIf config.skipLint "Linting is disabled" driver;
    passthru.driver = config.driver;
  };
}

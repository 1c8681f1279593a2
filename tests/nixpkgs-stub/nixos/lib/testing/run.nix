# The derivation whose build is the test.
{
  config,
  hostPkgs,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  since = lib.versionAtLeast lib.trivial.release;

  argument = {
    name = "vm-test-run-${config.name}";
    requiredSystemFeatures = [
      "nixos-test"
    ]
    ++ lib.optional hostPkgs.stdenv.hostPlatform.isLinux "kvm";
    buildCommand = ''
      mkdir -p $out
      ${config.driver}/bin/nixos-test-driver -o $out
    '';
    inherit (config) passthru meta;
  };
in
{
  options = {
    passthru = mkOption {
      type = types.lazyAttrsOf types.raw;
      description = "Attributes of the result that are no part of the build.";
    };

    rawTestDerivation = mkOption {
      type = types.package;
      internal = true;
      description = "The test without `lazyDerivation` around it.";
    };

    test = mkOption {
      type = types.package;
      description = "The derivation that runs the test.";
    };
  }
  // lib.optionalAttrs (since "25.11") {
    enableDebugHook = lib.mkEnableOption "a stop at the first failure, to look into the sandbox";

    rawTestDerivationArg = mkOption {
      type = types.functionTo types.raw;
      description = "What `mkDerivation` is given for the above.";
    };
  }
  // lib.optionalAttrs (since "26.05") {
    requiredFeatures = mkOption {
      type = types.attrsOf types.bool;
      default = { };
      description = "System features that a builder of the test must have.";
    };
  };

  config = {
    rawTestDerivation = hostPkgs.stdenv.mkDerivation (
      if since "25.11" then config.rawTestDerivationArg else argument
    );

    # Attributes of the result do not evaluate any machine.
    test = lib.lazyDerivation {
      derivation = config.rawTestDerivation;
      inherit (config) passthru meta;
    };

    passthru = {
      inherit config;
    };
  }
  // lib.optionalAttrs (since "25.11") {
    rawTestDerivationArg = _finalAttrs: argument;
  };
}

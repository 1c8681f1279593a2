# What a test can say beyond what the user's nixpkgs knows of.
{
  config,
  lib,
  options,
  hostPkgs,
  ...
}:
let
  inherit (lib) mkOption types;
in
{
  _file = "nix-vmtest/nixos/test/options.nix";

  options.vmtest = {
    acceleration = mkOption {
      type = types.enum [
        "require"
        "prefer"
        "never"
      ];
      default = if config.qemu.forceAccel or false then "require" else "prefer";
      defaultText = lib.literalExpression ''if qemu.forceAccel then "require" else "prefer"'';
      description = "Whether machines run on KVM. `prefer` falls back to emulation, and says so.";
    };

    snapshot = mkOption {
      type = types.either types.bool (
        types.enum [
          "require"
          "prefer"
        ]
      );
      default = false;
      description = "Whether the machines are booted once for all tests that have the same ones.";
    };

    prepare = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "With `snapshot`, the script that brings the machines to where they are saved.";
    };

    fresh = mkOption {
      type = types.listOf (
        types.enum [
          "machine-id"
          "ssh-host-keys"
        ]
      );
      default = [ ];
      description = "With `snapshot`, what is made anew in each machine.";
    };

    results = mkOption {
      type = types.enum [
        "output"
        "gated"
      ];
      default = "output";
      description = "With `gated`, the results of a test that fails are kept: the attribute `report` runs it, and the test looks at its outcome.";
    };

    keepGoing = mkOption {
      type = types.bool;
      default = false;
      description = "Whether the script goes on after a subtest that has failed.";
    };

    failOn = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Regular expressions: a line on a console or in a journal with one of them fails the test.";
    };

    failOnExcept = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Regular expressions of lines that `failOn` does not mean.";
    };

    waitForOutput = mkOption {
      type = types.bool;
      default = false;
      description = "Whether a command returns only when nobody holds its outputs any more, as in the NixOS test driver.";
    };

    sharedDir = mkOption {
      type = types.nullOr types.bool;
      default = null;
      description = "Whether the machines see a folder of the host as `/tmp/shared`. By default, whether the script speaks of it.";
    };

    serialStdout = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the log shows consoles and journals.";
    };

    ignoredRules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "ignored-status" ];
      description = "Rules that the test script is not held to; `vmtest check --rules` lists them.";
    };

    scriptPosition = mkOption {
      type = types.nullOr types.raw;
      internal = true;
      default = if options.testScript.files == [ ] then null else { file = lib.last options.testScript.files; };
      defaultText = lib.literalMD "the file of the script's definition";
      description = "Where the test script was written: `file`, and `line` if it is known.";
    };

    tools = mkOption {
      type = types.lazyAttrsOf types.raw;
      default = { };
      description = "Programs in place of those of nixpkgs and vmtest: `runner`, `agent`, `qemu`, `e2fsprogs`, `tesseract`.";
    };

    interactive = mkOption {
      type = types.bool;
      internal = true;
      default = false;
      description = "Whether this is the variant of the test whose driver is interactive.";
    };
  };

  config = {
    interactive.vmtest.interactive = true;

    vmtest.tools = {
      system = lib.mkDefault hostPkgs.stdenv.hostPlatform.system;
      qemu = lib.mkDefault config.qemu.package;
      e2fsprogs = lib.mkDefault (lib.getBin hostPkgs.e2fsprogs);
      tesseract = lib.mkDefault hostPkgs.tesseract;
    };
  };
}

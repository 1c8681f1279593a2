# The arguments of vmTest, and the programs that it needs.
{ types }:
let
  inherit (types)
    attributeSet
    attrsOf
    boolean
    integer
    listOf
    nullOr
    oneOf
    record
    storePath
    string
    ;

  names = import ./names.nix { inherit types; };
  machine = import ./machine.nix { inherit types; };

  # Names are looked at before any machine is: they are known without evaluating the machines.
  nodes = path: value: attrsOf machine path (names path (attributeSet path value));

in
{
  arguments = record {
    /**
      Name of the test: its derivation is `vm-test-run-<name>`.
    */
    name.type = string {
      pattern = "[A-Za-z0-9+._?=-]{1,190}";
      description = "a name of at most 190 letters, digits and characters of `+-._?=`";
    };

    /**
      The machines by name. There may be none: a script can do without, or create some.
    */
    nodes.type = nodes;

    /**
      The test script: Python source.
    */
    testScript.type = string { };

    /**
      Seconds after which the whole test is ended and fails.
    */
    globalTimeout = {
      type = integer {
        min = 1;
        max = 31536000;
        description = "an integer (seconds)";
      };
      default = 3600;
    };

    /**
      Hardware virtualisation: `require` fails without a working KVM, `prefer` falls back to emulation and says so,
      `never` always emulates.
    */
    acceleration = {
      type = oneOf [
        "require"
        "prefer"
        "never"
      ];
      default = "prefer";
    };

    /**
      Whether the machines are booted once, in a derivation of their own (the attribute `boot` of the result), and go on from
      there in this and every other test with the same machines: `false` boots them in each test, `"require"` (or `true`)
      fails where they cannot be saved or go on, `"prefer"` boots them then and says why.
    */
    snapshot = {
      type =
        path: value:
        if builtins.isBool value then
          (if value then "require" else null)
        else
          oneOf [
            "require"
            "prefer"
          ] path value;
      default = null;
    };

    /**
      With `snapshot`, the script that brings the machines to where they are saved; those that run then do so when the test
      script begins. Without it, all machines are started, and are saved when their system's default target is reached;
      they go on from there when the test script starts them. Where machines boot in the test itself, as in its drivers, the
      script is run first.
    */
    prepare = {
      type = nullOr (string { });
      default = null;
    };

    /**
      With `snapshot`, what is made anew in each machine before the test script sees it: `machine-id`, `ssh-host-keys`.
      Addresses and names stay; random numbers and clocks are always right.
    */
    fresh = {
      type = listOf (oneOf [
        "machine-id"
        "ssh-host-keys"
      ]);
      default = [ ];
    };

    /**
      Whether every machine sees a folder of the host as `/tmp/shared`, which the script has as `machine.shared_dir`. By
      default, whether the script speaks of one of the two; with `snapshot` they do, since a boot must not depend on the
      script.
    */
    sharedDir = {
      type = nullOr boolean;
      default = null;
    };

    /**
      Whether a command of the script returns only when nobody holds its outputs any more, as in the NixOS test driver.
      Otherwise it returns when it ends: what its children print later is shown in the log.
    */
    waitForOutput = {
      type = boolean;
      default = false;
    };

    /**
      Whether the log shows what the machines say on their consoles and in their journals. A script changes that with
      `serial_stdout_on()` and `serial_stdout_off()`.
    */
    serialStdout = {
      type = boolean;
      default = true;
    };

    /**
      What becomes of the results of a test that fails. By default (`"output"`) its build fails, and what Nix keeps of it is the
      log: the attribute `report` of the test is a derivation that runs it again and always succeeds. With `"gated"` that
      derivation is the one that runs the test, and the test itself a gate that depends on it: it fails unless the test has
      passed, and the results stay in the store.
    */
    results = {
      type = oneOf [
        "output"
        "gated"
      ];
      default = "output";
    };

    /**
      Whether the script goes on after a subtest that has failed. The test has failed at its end, then, and its report has all
      failures.
    */
    keepGoing = {
      type = boolean;
      default = false;
    };

    /**
      Regular expressions: a line on a console or in a journal with one of them fails the test at once, or at its end with
      `keepGoing`. Syntax: that of the crate `regex-lite`, much like Python's.
    */
    failOn = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      Regular expressions of lines that `failOn` does not mean.
    */
    failOnExcept = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      Whether the script reads screens (`get_screen_text`, `wait_for_text`).
    */
    enableOCR = {
      type = boolean;
      default = false;
    };

    /**
      System features that a builder must have beside `nixos-test` and, where KVM is required, `kvm`; so must the one that
      boots the machines for `snapshot`, and tests with others do not share its boot.
    */
    extraFeatures = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      Packages of pure Python that the script imports from: folders of modules, or packages of nixpkgs.
    */
    extraPythonPackages = {
      type = listOf storePath;
      default = [ ];
    };

    /**
      Whether the types of the script are not looked at. With the plugin a script is checked when the test is evaluated;
      without, when it is built, before any machine is.
    */
    skipTypeCheck = {
      type = boolean;
      default = false;
    };

    /**
      Whether nothing but syntax and types of the script is looked at.
    */
    skipLint = {
      type = boolean;
      default = false;
    };

    /**
      Rules that the script is not held to; `vmtest check --rules` lists them. In a script, `# vmtest: ignore[rule]` silences
      one at its line.
    */
    ignoredRules = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      The `meta` attribute of the result.
    */
    meta = {
      type = attributeSet;
      default = { };
    };

    /**
      Further attributes of the result.
    */
    passthru = {
      type = attributeSet;
      default = { };
    };

    /**
      Programs in place of those that this vmTest comes with.
    */
    tools = {
      type = attributeSet;
      default = { };
    };
  };

  # Those of a suite beside the arguments of a test.
  suite = record {
    /**
      Name of the suite.
    */
    name.type = string { };

    /**
      The test scripts by name.
    */
    scripts.type =
      path: value:
      let
        names = builtins.attrNames (attributeSet path value);
        # `nix build` and flakes pass over attributes with other names, without a word.
        isBad = name: builtins.match "[A-Za-z_][A-Za-z0-9_+-]*" name == null;
        bad = builtins.filter isBad names;
      in
      if names == [ ] then
        types.fail path "expected at least one script, got none"
      else if bad != [ ] then
        types.fail path (
          "bad script name `${builtins.head bad}`: expected letters, digits, `_`, `-` and `+`, with a letter or `_` first"
        )
      else
        attrsOf (string { }) path value;
  };

  suiteNames = {
    name = null;
    scripts = null;
  };

  tools = record {
    /**
      The Nix system that the test runs on, such as `x86_64-linux`; the machines have the same.
    */
    system.type = string {
      pattern = "(x86_64|aarch64)-linux";
      description = ''"x86_64-linux" or "aarch64-linux"'';
    };
    /**
      Has `bin/vmtest`, the runner.
    */
    runner.type = storePath;
    /**
      Has `bin/vmtest-agent`, the program that serves commands in the machines.
    */
    agent.type = storePath;
    /**
      Has `bin/qemu-system-<arch>`.
    */
    qemu.type = storePath;
    /**
      Has `bin/mke2fs`.
    */
    e2fsprogs.type = storePath;
    /**
      Has `bin/tesseract`; needed by tests with `enableOCR` only.
    */
    tesseract = {
      type = nullOr storePath;
      default = null;
    };
  };
}

# The Nix library of nix-vmtest. It needs nothing but Nix 2.24 and works in pure evaluation; the plugin carries a copy
# of it and gives the same derivations.
{
  /**
    The programs that tests run with: `{ system; runner; agent; qemu; e2fsprogs; tesseract; }`, or a function from the system
    of a test to them. What is missing each test has to bring itself.
  */
  tools ? { },
}:
let
  types = import ./types.nix;
  check = import ./arguments.nix { inherit types; };
  testDerivation = import ./core.nix { inherit (types) fail; };
  checkScripts = import ./check.nix { inherit (types) fail; };

  nixos = import ../nixos/lib.nix {
    inherit (types) fail;
    # Where the script was written, then a test whose nodes are NixOS configurations.
    vmTest =
      position:
      runMachines {
        isCheap = false;
        positions.testScript = position;
      };
  };

  resolveTools =
    given:
    let
      system = given.system or (types.fail "tools" "missing attribute `system`");
      programs = (if builtins.isFunction tools then tools system else tools) // given;
    in
    if programs == { } then
      types.fail "" (
        "there are no programs to run the test with: this vmTest was built without; "
        + "pass `tools = { system; runner; agent; qemu; e2fsprogs; }`"
      )
    else
      check.tools "tools" programs;

  # The scripts were written where the arguments were, or at `positions`.
  runMachines =
    {
      isCheap ? true,
      positions ? { },
    }:
    arguments:
    let
      checked = check.arguments "" arguments;
      programs = resolveTools checked.tools;
      # Reported at once. The machines are not: to list tests must not mean to evaluate their machines.
      cheap = {
        inherit (checked)
          name
          globalTimeout
          acceleration
          snapshot
          fresh
          ;
        prepare =
          if checked.prepare != null && checked.snapshot == null then
            types.fail "prepare" "there is nothing to prepare without `snapshot = true`"
          else if checked.fresh != [ ] && checked.snapshot == null then
            types.fail "fresh" "there is nothing to make anew without `snapshot = true`"
          else
            null;
        nodes = builtins.attrNames checked.nodes;
        meta = builtins.attrNames checked.meta;
        tools = builtins.attrNames programs;
        ocr =
          if checked.enableOCR && programs.tesseract == null then
            types.fail "enableOCR" "there is no program to read screens with: pass `tools.tesseract`"
          else
            null;
      };
    in
    builtins.deepSeq cheap (
      testDerivation (checkScripts {
        arguments = checked;
        inherit programs isCheap;
        positions = {
          testScript = builtins.unsafeGetAttrPos "testScript" arguments;
          prepare = builtins.unsafeGetAttrPos "prepare" arguments;
        }
        // positions;
      }) programs
    );
in
rec {
  /**
    The test module for NixOS tests: `imports = [ testModule ];` in a test has vmtest run it.
  */
  inherit (nixos) testModule;

  /**
    The overlay by which the NixOS tests of a package set run on vmtest.
  */
  inherit (nixos) overlay;

  /**
    Run a test on virtual machines.

    Returns the derivation `vm-test-run-<name>`. To build it is to boot the machines, run the script, and leave a report
    in its output.

    # Arguments

    `name`
    : Name of the test.

    `nodes`
    : The machines by name. A machine has a `kernel` and a `root.layers`, and may have `kernelParams`,
      `root.persistentDisk`, `init`, `initrd`, `memory` (MiB), `cores`, `disks`, `sharedDirectories`, `vlans`, `networkSetup`,
      `closure`, `qemuOptions` and `bootTimeout` (seconds). Or it has a `startScript`, a program that becomes its QEMU.

    `testScript`
    : Python source. Each machine is an object of its name.

    `globalTimeout`
    : Seconds after which the test fails. Default: 3600.

    `acceleration`
    : `"require"`, `"prefer"` (default) or `"never"`: whether KVM runs the machines.

    `sharedDir`
    : Whether every machine sees a folder of the host as `/tmp/shared`. Default: whether the script speaks of it; true with
      `snapshot`.

    `snapshot`
    : `true` boots the machines once for all tests that have the same ones, and has this test go on from there;
      `"prefer"` boots them where that is not possible. Default: false.

    `prepare`
    : With `snapshot`, the script that brings the machines to where they are saved.

    `fresh`
    : With `snapshot`, what is made anew in each machine: `"machine-id"`, `"ssh-host-keys"`.

    `waitForOutput`
    : Whether a command returns only when its outputs are closed. Default: false, when it ends.

    `serialStdout`
    : Whether the log shows consoles and journals. Default: true.

    `results`
    : `"gated"` keeps the results of a test that fails: its attribute `report`, which always succeeds, runs the test, and the
      test only looks at its outcome. Default: `"output"`.

    `keepGoing`
    : Whether the script goes on after a subtest that has failed. Default: false.

    `failOn`, `failOnExcept`
    : Regular expressions of lines on consoles and in journals that fail the test, and of lines that do not.

    `enableOCR`
    : Whether the script reads screens. Needs `tools.tesseract`.

    `extraPythonPackages`
    : Packages of pure Python that the script imports from.

    `skipTypeCheck`, `skipLint`, `ignoredRules`
    : What the script is not checked for, when the test is evaluated. Default: nothing.

    `meta`, `passthru`
    : Attributes of the result.

    `extraFeatures`
    : System features that a builder must have beside `nixos-test`.

    `tools`
    : Programs in place of the built-in ones: `{ system; runner; agent; qemu; e2fsprogs; tesseract; }`.

    # NixOS tests

    With `pkgs` (a package set of nixpkgs) the arguments are options of a NixOS test instead, and nodes are NixOS modules;
    so are they with a module, or the path of one, in place of the arguments, for which `<nixpkgs>` is taken.

    # Example

    ```nix
    builtins.vmTest {
      name = "hello";
      nodes.server = {
        kernel = linux;
        root.layers = [ { archive = debian; } ];
      };
      testScript = ''
        server.wait_for_unit("multi-user.target")
      '';
    }
    ```

    ```nix
    builtins.vmTest {
      inherit pkgs;
      name = "hello";
      nodes.machine.services.nginx.enable = true;
      testScript = ''
        machine.wait_for_unit("nginx.service")
      '';
    }
    ```
  */
  vmTest =
    arguments:
    if nixos.isNixosTest arguments then nixos.runTest arguments else runMachines { } arguments;

  /**
    Run several tests on the same virtual machines, which are booted once.

    Returns the tests by the names of their scripts, an attribute set such as the `checks` of a flake are.

    # Arguments

    `name`
    : Name of the suite: its tests are called `<name>-<script>`.

    `scripts`
    : The test scripts by name.

    `snapshot`
    : As for `vmTest`, but `true` by default. For NixOS tests it is the same as their option `vmtest.snapshot`.

    All others are those of `vmTest`; those of a NixOS test with `pkgs`, or with `imports`.

    # Example

    ```nix
    builtins.vmTestSuite {
      name = "web";
      nodes.server = {
        kernel = linux;
        root.layers = [ { archive = debian; } ];
      };
      scripts = {
        login = "server.wait_for_unit(\"getty.target\")";
        clock = "server.wait_for_unit(\"timers.target\")";
      };
    }
    ```
  */
  vmTestSuite =
    arguments:
    let
      names = builtins.attrNames check.suiteNames;
      given = check.suite "" (
        if (types.attributeSet "" arguments) ? testScript then
          types.fail "testScript" "a suite has `scripts` instead"
        else
          builtins.intersectAttrs check.suiteNames arguments
      );
      machines = {
        snapshot = true;
      }
      // builtins.removeAttrs arguments names;
      common =
        if nixos.isNixosTest arguments then
          builtins.removeAttrs machines [ "snapshot" ]
          // {
            imports = (arguments.imports or [ ]) ++ [ snapshot ];
          }
        else
          machines;
      snapshot =
        { lib, ... }:
        {
          _file = "the arguments of vmTestSuite";
          vmtest.snapshot = if arguments ? snapshot then arguments.snapshot else lib.mkDefault true;
        };
    in
    builtins.mapAttrs (
      script: testScript:
      let
        test = common // {
          name = "${given.name}-${script}";
          inherit testScript;
        };
        positions.testScript = builtins.unsafeGetAttrPos script arguments.scripts;
      in
      if nixos.isNixosTest arguments then vmTest test else runMachines { inherit positions; } test
    ) given.scripts;
}

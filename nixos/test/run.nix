# How the test is run: the driver and the derivation of nixpkgs are replaced by those of vmtest.
{ vmTest }:
{
  config,
  lib,
  options,
  hostPkgs,
  ...
}:
let
  inherit (lib)
    mapAttrs
    mkForce
    optionalAttrs
    ;

  references = import ./references.nix;

  refuse = option: reason: throw "vmTest: ${config.name}: option `${option}`: ${reason}";

  containers = builtins.attrNames (config.containers or { });

  # Nodes are evaluated one by one, when they are needed.
  nodes =
    if containers != [ ] then
      refuse "containers.${builtins.head containers}" "vmtest runs virtual machines only, so far"
    else
      mapAttrs (name: node: withReferences (savable name node node.vmtest.machine)) named;

  isRequired = config.vmtest.snapshot == true || config.vmtest.snapshot == "require";

  savable =
    name: node: machine:
    if isRequired && machine ? startScript then
      throw (
        "vmTest: nodes.${name}: with `vmtest.snapshot` it cannot boot by nixpkgs' start script, as these options have it do "
        + "(see nixos/options.md; with `vmtest.snapshot = \"prefer\"` the machines of such a test are booted): "
        + lib.concatMapStringsSep ", " (option: "`${option}`") (
          if node.vmtest.needs.script == [ ] then [ "vmtest.boot" ] else node.vmtest.needs.script
        )
      )
    else
      machine;

  # Drivers of releases before 26.05 call a machine by its host name, and so do scripts that were written for them.
  named =
    if options ? driverConfiguration then
      config.nodes
    else
      lib.mapAttrs' (name: node: lib.nameValuePair (nameOf name node) node) config.nodes;
  nameOf =
    name: node:
    let
      others = removeAttrs config.nodes [ name ];
      namesake = lib.findFirst (other: others.${other}.system.name == node.system.name) null (
        builtins.attrNames others
      );
    in
    if node.system.name == name || namesake == null then
      node.system.name
    else
      refuse "nodes.${name}.networking.hostName" "the node `${namesake}` is called `${node.system.name}`, too";

  # Not by way of the node, whose evaluation the script may need itself.
  withReferences =
    machine:
    # A start script shows the host's store, where they are.
    if machine ? startScript || !config.includeTestScriptReferences then
      machine
    else
      machine // { closure = machine.closure ++ references config.testScriptString; };

  python = hostPkgs.python3.pkgs;
  pythonPackages = config.extraPythonPackages python;

  test = vmTest config.vmtest.scriptPosition {
    inherit (config) name globalTimeout enableOCR;
    inherit (config.vmtest)
      acceleration
      snapshot
      prepare
      fresh
      results
      keepGoing
      failOn
      failOnExcept
      waitForOutput
      sharedDir
      serialStdout
      ignoredRules
      tools
      ;
    skipTypeCheck = config.skipTypeCheck or false;
    skipLint = config.skipLint or false;
    inherit nodes;
    testScript = config.testScriptString;
    # The interpreter is among what packages need.
    extraPythonPackages = builtins.filter (package: package != hostPkgs.python3) (
      if pythonPackages == [ ] then [ ] else python.requiredPythonModules pythonPackages
    );
    extraFeatures = builtins.filter (feature: config.requiredFeatures.${feature}) (
      builtins.attrNames (
        builtins.removeAttrs (config.requiredFeatures or { }) [
          "kvm"
          "nixos-test"
        ]
      )
    );
  };

  # It is among nixpkgs' own test modules, in `nixos/lib/testing`.
  declared = builtins.head options.extraDriverArgs.declarations;

  definitions = import ../guest/definitions.nix {
    inherit lib;
    modulesPath = dirOf (dirOf (dirOf (toString declared))) + "/modules";
  };

  # What vmtest cannot do, each option with the reason.
  unmet =
    lib.optionalAttrs (config.enableDebugHook or false) { enableDebugHook = "not supported yet"; }
    // lib.optionalAttrs (config.sshBackdoor.enable or false) {
      "sshBackdoor.enable" = "not supported yet";
    }
    // lib.optionalAttrs (config.logLevel or "info" != "info") {
      logLevel = "the log has one level; see `vmtest.serialStdout`";
    }
    // lib.optionalAttrs (definitions.of options.extraDriverArgs != [ ]) {
      extraDriverArgs = "the driver has other arguments: see `nixos-test-driver --help`";
    };

  checked =
    value:
    if unmet == { } then
      value
    else
      throw (
        "vmTest: ${config.name}: options that cannot be had:"
        + lib.concatStrings (
          lib.mapAttrsToList (option: reason: "${definitions.list options [ option ]}: ${reason}") unmet
        )
      );

  # With them, `overrideTestDerivation` of nixpkgs reaches the derivation.
  hasArgument = options ? rawTestDerivationArg;
  derivationArgument = checked test.drvAttrs;
in
{
  _file = "nix-vmtest/nixos/test/run.nix";

  config = {
    ${if options ? extraBaseNodeModules then "extraBaseNodeModules" else "extraBaseModules"} =
      import ../guest/default.nix;

    driver = mkForce (checked (if config.vmtest.interactive then test.driverInteractive else test.driver));

    rawTestDerivation = mkForce (
      derivation (if hasArgument then lib.fix config.rawTestDerivationArg else derivationArgument)
    );

    passthru = {
      inherit (test) report;
    }
    // optionalAttrs (config.vmtest.snapshot != false) { inherit (test) boot; };
  }
  // optionalAttrs hasArgument { rawTestDerivationArg = mkForce (_: derivationArgument); };
}

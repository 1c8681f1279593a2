# From checked arguments to the derivation that runs the test.
{ fail }:
let
  network = import ./network.nix;

  inherit (builtins)
    filter
    listToAttrs
    mapAttrs
    attrNames
    ;

  # The attribute of the derivation under which Nix lists a machine's store paths; no other attribute has such a name.
  closureKey = name: "closure.${name}";

  disk = index: spec: {
    size = spec.sizeMiB;
    serial = if spec.serial == null then "disk${toString index}" else spec.serial;
  };

  mapIndexed =
    function: list:
    builtins.genList (index: function index (builtins.elemAt list index)) (builtins.length list);

  manifestNode = networks: name: spec: {
    boot = if spec.initrd == null then "direct" else { inherit (spec) initrd; };
    kernel = spec.kernel // {
      unpack = spec.unpackKernel;
    };
    inherit (spec)
      kernelParams
      init
      memory
      cores
      qemuOptions
      bootTimeout
      ;
    root = {
      inherit (spec.root) layers;
      persistent =
        if spec.root.persistentDisk == null then null else { size = spec.root.persistentDisk.sizeMiB; };
    };
    closure = if spec.closure == [ ] then null else closureKey name;
    disks = mapIndexed disk spec.disks;
    sharedDirectories = map (tag: { inherit tag; } // spec.sharedDirectories.${tag}) (
      attrNames spec.sharedDirectories
    );
    network = networks.${name};
  };

  startScript = spec: {
    program = spec.startScript;
    inherit (spec) vlans qemuOptions bootTimeout;
  };

  isScripted = spec: spec ? startScript;

  select =
    predicate: nodes:
    listToAttrs (
      map (name: {
        inherit name;
        value = nodes.${name};
      }) (filter (name: predicate nodes.${name}) (attrNames nodes))
    );
  scripted = select isScripted;
  planned = select (spec: !isScripted spec);

  # Not a regular expression: those of Nix overflow the stack on long scripts.
  mentions = text: script: builtins.replaceStrings [ text ] [ "" ] script != script;

  # Only a script of its own can make a boot depend on more than the machines, and what a builder must have to run them
  # (`acceleration`, `extraFeatures`).
  bootArguments =
    arguments:
    arguments
    // {
      name = "boot";
      testScript = "";
      globalTimeout = 86400;
      serialStdout = true;
      waitForOutput = false;
      enableOCR = false;
      extraPythonPackages = [ ];
      skipTypeCheck = false;
      skipLint = false;
      ignoredRules = [ ];
      keepGoing = false;
      failOn = [ ];
      failOnExcept = [ ];
    }
    // (
      if arguments.prepare == null then
        { }
      else
        {
          testScript = arguments.prepare;
          inherit (arguments)
            globalTimeout
            waitForOutput
            enableOCR
            extraPythonPackages
            skipTypeCheck
            skipLint
            ignoredRules
            ;
        }
    );

  hasSharedDir =
    {
      sharedDir,
      snapshot,
      testScript,
      ...
    }:
    if sharedDir != null then
      sharedDir
    else
      snapshot != null || mentions "shared_dir" testScript || mentions "/tmp/shared" testScript;

  manifest = arguments: tools: snapshot: {
    version = 1;
    inherit (arguments)
      name
      testScript
      globalTimeout
      acceleration
      waitForOutput
      serialStdout
      extraPythonPackages
      skipTypeCheck
      skipLint
      ignoredRules
      ;
    inherit snapshot;
    failures = {
      inherit (arguments) keepGoing failOn;
      except = arguments.failOnExcept;
    };
    sharedDir = hasSharedDir arguments;
    inherit (tools) system;
    tools = {
      qemu = "${tools.qemu}/bin/qemu-system-${builtins.head (builtins.split "-" tools.system)}";
      agent = "${tools.agent}/bin/vmtest-agent";
      mke2fs = "${tools.e2fsprogs}/bin/mke2fs";
      tesseract = if arguments.enableOCR then "${tools.tesseract}/bin/tesseract" else null;
    };
    nodes = mapAttrs (manifestNode (network arguments.nodes)) (planned arguments.nodes);
    startScripts = mapAttrs (_: startScript) (scripted arguments.nodes);
  };

  closures =
    nodes:
    listToAttrs (
      map (name: {
        name = closureKey name;
        value = nodes.${name}.closure;
      }) (filter (name: nodes.${name}.closure != [ ]) (attrNames nodes))
    );
  # What a machine takes beside its memory: QEMU itself, and the code that it translates under emulation.
  overhead = 256;

  sum = builtins.foldl' builtins.add 0;

  # What the runner is given: it makes of it what its arguments say.
  given =
    name: args: arguments: tools: snapshot: {
      inherit name args;
      inherit (tools) system;
      builder = "${tools.runner}/bin/vmtest";
      __structuredAttrs = true;
      manifest = manifest arguments tools snapshot;
      exportReferencesGraph = closures (planned arguments.nodes);
      outputs = [ "out" ];
    };

  build =
    name: args: arguments: tools: snapshot:
    let
      nodes = builtins.attrValues arguments.nodes;
    in
    derivation (given name ([ "build" ] ++ args) arguments tools snapshot // {
      requiredSystemFeatures = [
        "nixos-test"
      ]
      ++ (if arguments.acceleration == "require" then [ "kvm" ] else [ ])
      ++ arguments.extraFeatures;
      # For schedulers: MiB that the test takes when all of its machines use theirs, and their processors.
      requiredMemory = sum (map (node: node.memory + overhead) nodes);
      requiredCores = sum (map (node: node.cores) nodes);
    });

  # Machines that boot in the test itself are brought to where they would have been saved.
  booting = { prepare, ... }: if prepare == null then null else { boot.prepare = prepare; };

  # The test as a program, to be run outside of Nix; it boots its machines itself.
  driver =
    args: arguments: tools:
    {
      meta.mainProgram = "nixos-test-driver";
    }
    // derivation (
      given "nixos-test-driver-${arguments.name}" ([ "driver" ] ++ args) arguments tools (
        booting arguments
      )
    );

  # The name says which machines it boots, as far as there is room for them.
  bootName =
    nodes: "vm-test-boot-" + builtins.substring 0 100 (builtins.concatStringsSep "-" (attrNames nodes));

  boot =
    arguments: tools:
    build (bootName arguments.nodes) [ ] (bootArguments arguments) tools {
      save = {
        required = arguments.snapshot == "require";
        prepared = arguments.prepare != null;
      };
    };
  # Looks at the outcome of a test whose results are kept, and is built in a moment.
  gate =
    name: tools: report:
    derivation {
      inherit name;
      inherit (tools) system;
      builder = "${tools.runner}/bin/vmtest";
      args = [ "gate" ];
      __structuredAttrs = true;
      # Not `report`, which is the derivation itself.
      results = "${report}";
      outputs = [ "out" ];
      preferLocalBuild = true;
      allowSubstitutes = false;
    };
in
/**
  The derivation of a test, with `meta`, the checked machine specs as `nodes`, and `passthru`; with `snapshot` also the
  derivation `boot` that it goes on from. `report` keeps the results whatever they are. They depend on nothing but their
  arguments: no builder but the runner, no shell.
*/
arguments: tools:
let
  booted = boot arguments tools;
  unsavable = attrNames (scripted arguments.nodes);
  name = "vm-test-run-${arguments.name}";
  report = build "${name}-report" [ "--report" ] arguments tools snapshot;
  snapshot =
    if arguments.snapshot == null then
      null
    else if unsavable != [ ] && arguments.snapshot == "require" then
      fail "nodes.${builtins.head unsavable}" (
        "a machine of a start script cannot be saved; with `snapshot = \"prefer\"` the machines of such a test are booted"
      )
    else if unsavable != [ ] then
      booting arguments
    else
      {
        restore = {
          from = "${booted}";
          required = arguments.snapshot == "require";
          inherit (arguments) prepare fresh;
        };
      };
in
{
  inherit report;
  inherit (arguments) meta nodes;
  driver = driver [ ] arguments tools;
  driverInteractive = driver [ "--interactive" ] arguments tools;
}
// (if arguments.snapshot == null then { } else { boot = booted; })
// arguments.passthru
// (
  if arguments.results == "gated" then
    gate name tools report
  else
    build name [ ] arguments tools snapshot
)

# From checked arguments to the derivation that runs the test.
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

  disk = spec: { size = spec.sizeMiB; };

  manifestNode = networks: name: spec: {
    boot = "direct";
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
      persistent = if spec.root.persistentDisk == null then null else disk spec.root.persistentDisk;
    };
    closure = if spec.closure == [ ] then null else closureKey name;
    disks = map disk spec.disks;
    sharedDirectories = map (tag: { inherit tag; } // spec.sharedDirectories.${tag}) (
      attrNames spec.sharedDirectories
    );
    network = networks.${name};
  };

  # Not a regular expression: those of Nix overflow the stack on long scripts.
  mentions = text: script: builtins.replaceStrings [ text ] [ "" ] script != script;

  manifest = arguments: tools: {
    version = 1;
    inherit (arguments)
      name
      testScript
      globalTimeout
      acceleration
      waitForOutput
      serialStdout
      extraPythonPackages
      ;
    sharedDir =
      if arguments.sharedDir == null then
        mentions "shared_dir" arguments.testScript || mentions "/tmp/shared" arguments.testScript
      else
        arguments.sharedDir;
    inherit (tools) system;
    tools = {
      qemu = "${tools.qemu}/bin/qemu-system-${builtins.head (builtins.split "-" tools.system)}";
      agent = "${tools.agent}/bin/vmtest-agent";
      mke2fs = "${tools.e2fsprogs}/bin/mke2fs";
      tesseract = if arguments.enableOCR then "${tools.tesseract}/bin/tesseract" else null;
    };
    nodes = mapAttrs (manifestNode (network arguments.nodes)) arguments.nodes;
  };

  closures =
    nodes:
    listToAttrs (
      map (name: {
        name = closureKey name;
        value = nodes.${name}.closure;
      }) (filter (name: nodes.${name}.closure != [ ]) (attrNames nodes))
    );
in
/**
  The derivation of a test, with `meta`, the checked machine specs as `nodes`, and `passthru`. It depends on nothing but its
  arguments: no builder but the runner, no shell.
*/
arguments: tools:
{
  inherit (arguments) meta nodes;
}
// arguments.passthru
// derivation {
  name = "vm-test-run-${arguments.name}";
  inherit (tools) system;
  builder = "${tools.runner}/bin/vmtest";
  args = [ "build" ];
  __structuredAttrs = true;
  requiredSystemFeatures = [
    "nixos-test"
  ]
  ++ (if arguments.acceleration == "require" then [ "kvm" ] else [ ]);
  manifest = manifest arguments tools;
  exportReferencesGraph = closures arguments.nodes;
  outputs = [ "out" ];
}

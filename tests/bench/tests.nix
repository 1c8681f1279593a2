# The tests that `cargo xtask bench` takes its figures from. (Not a `default.nix`: then this folder would be a test.)
{
  # The toolbox: see ../default.nix.
  tools,
  # Part of every script: with a new one, Nix builds again.
  salt ? "none",
  # Part of every machine: with a new one, Nix also boots again what tests go on from.
  bootSalt ? "none",
  vmTest ? builtins.vmTest,
  vmTestSuite ? builtins.vmTestSuite,
}:
let
  guests = import ../guests.nix tools;

  # The kernel takes it for the parameter of a module that is not there.
  salted = guest: spec: guest (spec // { kernelParams = [ "vmtest_bench.salt=${bootSalt}" ]; });
  debian = spec: salted guests.debian ({ cores = 2; } // spec);
  busybox = salted guests.busybox;

  script = text: "${text}\n# ${salt}\n";

  test =
    name: arguments:
    vmTest (
      {
        name = "bench-${name}";
        globalTimeout = 900;
        acceleration = "never";
      }
      // arguments
      // {
        testScript = script arguments.testScript;
      }
    );

  # A script that measures by itself, and leaves what it found in `bench.json`.
  measuring =
    name: arguments:
    test name (
      {
        extraPythonPackages = [ ./python ];
        serialStdout = false;
        testScript = builtins.readFile (./scripts + "/${name}.py");
      }
      // arguments
    );

  trivial = {
    nodes.machine = debian { };
    testScript = ''machine.wait_for_unit("multi-user.target")'';
  };

  # About so many GiB in the store, large files and many small ones: made by a script without machines.
  tree =
    gib:
    vmTest {
      name = "bench-tree-${toString gib}";
      globalTimeout = 300;
      acceleration = "never";
      nodes = { };
      testScript = "gib = ${toString gib}\n${builtins.readFile ./scripts/tree.py}\n# ${bootSalt}\n";
    };

  # The machine is so small that its image is the tree.
  image =
    gib:
    test "image-${toString gib}" {
      nodes.machine = busybox { closure = [ (tree gib) ]; };
      testScript = "machine.start()";
    };

  # 256 MB is what the smallest machine with some work to do has.
  fleet =
    { count, snapshot }:
    let
      kind = if snapshot then "restored" else "booted";
    in
    {
      name = "machines-${toString count}-${kind}";
      value = measuring "machines-${toString count}-${kind}" {
        inherit snapshot;
        testScript = builtins.readFile ./scripts/machines.py;
        nodes = builtins.listToAttrs (
          builtins.genList (number: {
            name = "node${toString (number + 1)}";
            value = busybox { memory = 256; };
          }) count
        );
      };
    };
  fleets = builtins.concatMap (
    count:
    map (snapshot: fleet { inherit count snapshot; }) [
      false
      true
    ]
  );

  units = [
    "basic.target"
    "dbus.service"
    "getty.target"
    "local-fs.target"
    "multi-user.target"
    "paths.target"
    "sockets.target"
    "sysinit.target"
    "systemd-journald.service"
    "timers.target"
  ];
in
{
  trivial = test "trivial" trivial;

  # The same, from where the machine was saved.
  restored = test "restored" (trivial // { snapshot = true; });

  # The same after somebody has written more of the script.
  edited = test "edited" (
    trivial
    // {
      snapshot = true;
      testScript = ''
        ${trivial.testScript}
        machine.succeed("true")'';
    }
  );

  suite = vmTestSuite {
    name = "bench-suite";
    globalTimeout = 900;
    acceleration = "never";
    nodes.machine = debian { };
    scripts = builtins.listToAttrs (
      map (unit: {
        name = builtins.replaceStrings [ "." ] [ "-" ] unit;
        value = script ''
          machine.wait_for_unit("${unit}")
          machine.succeed("systemctl is-active ${unit}")'';
      }) units
    );
  };

  command = measuring "command" { nodes.machine = debian { }; };

  waits = measuring "waits" {
    nodes.machine = debian { };
    testScript = "events = \"${./scripts/events.pl}\"\n${builtins.readFile ./scripts/waits.py}";
  };

  copy = measuring "copy" { nodes.machine = debian { memory = 2048; }; };

  network = measuring "network" {
    nodes = {
      client = debian { };
      server = debian { };
    };
  };

  store = measuring "store" {
    nodes.machine = debian {
      # Room for the larger part of the tree in the cache.
      memory = 2048;
      closure = [ (tree 1) ];
    };
    testScript = "tree = \"${tree 1}\"\n${builtins.readFile ./scripts/store.py}";
  };

  tree-1 = tree 1;
  tree-2 = tree 2;
  tree-4 = tree 4;

  image-1 = image 1;
  image-2 = image 2;
  image-4 = image 4;
}
// builtins.listToAttrs (fleets [
  1
  2
  4
  8
  16
  24
])

# What becomes of options that need no machine to be looked at: for each, what is found and what should be.
{
  # From the name of a release of nixpkgs to the stub that plays it, with the overlay.
  pkgsOf,
}:
let
  pkgs = pkgsOf "25.11";
  unstable = pkgsOf "26.05";
  inherit (pkgs) lib;

  testOf =
    pkgs: module:
    pkgs.testers.runNixOSTest {
      imports = [ module ];
      name = "options";
      nodes.machine = { };
      testScript = lib.mkDefault "";
    };

  test = testOf pkgs;
  manifest = module: (test module).driver.manifest;
  machine = node: (manifest { nodes.machine = node; }).nodes.machine;
  machineOf = pkgs: node: (testOf pkgs { nodes.machine = node; }).driver.manifest.nodes.machine;

  is = expected: got: { inherit expected got; };

  # What is not of the node's own system.
  withoutNode =
    machine:
    removeAttrs machine [
      "closure"
      "init"
      "kernelParams"
    ];

  # Behind those that every node has.
  lastTwo = words: lib.drop (builtins.length words - 2) words;
in
{
  name = is "vm-test-run-options" (test { }).name;
  globalTimeout = is 77 (manifest { globalTimeout = 77; }).globalTimeout;
  enableOCR = is true ((manifest { enableOCR = true; }).tools.tesseract != null);
  defaults = is 333 (manifest { defaults.virtualisation.memorySize = 333; }).nodes.machine.memory;
  extraBaseModules =
    is 334
      (manifest { extraBaseModules.virtualisation.memorySize = 334; }).nodes.machine.memory;
  nodeDefaults =
    is 335
      (testOf unstable { nodeDefaults.virtualisation.memorySize = 335; })
      .driver.manifest.nodes.machine.memory;
  specialArgs =
    is 336
      (manifest {
        node.specialArgs.size = 336;
        nodes.machine =
          { size, ... }:
          {
            virtualisation.memorySize = size;
          };
      }).nodes.machine.memory;
  acceleration = is "prefer" (manifest { }).acceleration;
  "vmtest.acceleration" =
    is "require"
      (manifest { vmtest.acceleration = "require"; }).acceleration;
  "vmtest.keepGoing, vmtest.failOn and vmtest.failOnExcept" =
    is
      {
        keepGoing = true;
        failOn = [ "BUG:" ];
        except = [ "known" ];
      }
      (manifest {
        vmtest = {
          keepGoing = true;
          failOn = [ "BUG:" ];
          failOnExcept = [ "known" ];
        };
      }).failures;
  "qemu.forceAccel" =
    is "require"
      (testOf unstable { qemu.forceAccel = true; }).driver.manifest.acceleration;
  "qemu.package" =
    is "${pkgs.userland}/bin/qemu-system-x86_64"
      (manifest { qemu.package = lib.mkForce pkgs.userland; }).tools.qemu;
  requiredFeatures = is [
    "nixos-test"
    "gpu"
  ] (testOf unstable { requiredFeatures.gpu = true; }).config.rawTestDerivation.requiredSystemFeatures;
  extraPythonPackages =
    is [ "${pkgs.hello}" ]
      (manifest { extraPythonPackages = _: [ pkgs.hello ]; }).extraPythonPackages;
  includeTestScriptReferences = is [ false true ] (
    map
      (
        include:
        builtins.elem "${pkgs.hello}" (
          (test {
            testScript = ''machine.succeed("${pkgs.hello}/bin/hello")'';
            includeTestScriptReferences = include;
          }).driver.exportReferencesGraph."closure.machine"
        )
      )
      [
        false
        true
      ]
  );
  meta = is 42 (test { meta.timeout = 42; }).meta.timeout;
  passthru = is "kept" (test { passthru.given = "kept"; }).given;
  nodes = is 1024 (test { }).nodes.machine.virtualisation.memorySize;
  config = is "options" (test { }).config.name;
  interactive = is [
    1024
    337
  ] (
    let
      result = test { interactive.nodes.machine.virtualisation.memorySize = 337; };
    in
    [
      result.driver.manifest.nodes.machine.memory
      result.driverInteractive.manifest.nodes.machine.memory
    ]
  );
  driverInteractive = is [
    [ "driver" ]
    [
      "driver"
      "--interactive"
    ]
  ] (
    let
      result = test { };
    in
    [
      result.driver.args
      result.driverInteractive.args
    ]
  );
  extend =
    is 338
      ((test { }).extend { modules = [ { defaults.virtualisation.memorySize = 338; } ]; })
      .driver.manifest.nodes.machine.memory;
  extendNixOS =
    is 339
      ((test { }).extendNixOS { module.virtualisation.memorySize = 339; })
      .driver.manifest.nodes.machine.memory;
  overrideTestDerivation = is [ "other" ] (
    (test { }).overrideTestDerivation (_: { requiredSystemFeatures = [ "other" ]; })
  ).config.rawTestDerivation.requiredSystemFeatures;
  report = is "vm-test-run-options-report" (test { }).report.name;
  "vmtest.results" =
    is
      [
        "gate"
        "vm-test-run-options-report"
      ]
      (
        let
          gated = test { vmtest.results = "gated"; };
        in
        gated.config.rawTestDerivation.drvAttrs.args ++ [ gated.report.name ]
      );
  boot = is "vm-test-boot-machine" (test { vmtest.snapshot = true; }).boot.name;
  "a suite has one boot" = is [ "vm-test-run-web-login" true "vm-test-run-web-clock" false ] (
    let
      suite =
        module:
        pkgs.vmTestSuite (
          {
            inherit pkgs;
            name = "web";
            nodes.machine = { };
            scripts.login = "machine.succeed('login')";
            scripts.clock = "machine.succeed('date')";
          }
          // module
        );
      inherit (suite { }) login clock;
      booting = suite { snapshot = false; };
    in
    [
      login.name
      (login.boot.drvPath == clock.boot.drvPath)
      clock.name
      (booting.login ? boot)
    ]
  );
  "machines are called by their host names" =
    is
      [
        [
          "bob"
          "other"
        ]
        [
          "machine"
          "other"
        ]
      ]
      (
        map
          (
            pkgs:
            builtins.attrNames
              (testOf pkgs {
                nodes.machine.networking.hostName = "bob";
                nodes.other = { };
              }).driver.manifest.nodes
          )
          [
            pkgs
            unstable
          ]
      );
  "machine (legacy)" =
    is [ "machine" ]
      (builtins.attrNames
        (pkgs.nixosTest {
          machine = { };
          testScript = "";
        }).driver.manifest.nodes
      );

  memorySize = is 512 (machine { virtualisation.memorySize = 512; }).memory;
  cores = is 3 (machine { virtualisation.cores = 3; }).cores;
  diskSize = is { size = 2048; } (machine { virtualisation.diskSize = 2048; }).root.persistent;
  "diskSize (24.11)" = is { size = 1024; } (machineOf (pkgsOf "24.11") { }).root.persistent;
  diskImage = is null (machine { virtualisation.diskImage = null; }).root.persistent;
  emptyDiskImages = is [
    {
      size = 64;
      serial = "disk0";
    }
  ] (machine { virtualisation.emptyDiskImages = [ 64 ]; }).disks;
  "emptyDiskImages (26.05)" = is [
    {
      size = 64;
      serial = "data";
    }
  ] (machineOf unstable {
    virtualisation.emptyDiskImages = [
      {
        size = 64;
        driveConfig.deviceExtraOpts.serial = "data";
      }
    ];
  }).disks;
  restrictNetwork = is true (machine { virtualisation.restrictNetwork = true; }).network.user.restrict;
  networkingOptions =
    is null
      (machine { virtualisation.qemu.networkingOptions = lib.mkForce [ ]; }).network.user;
  forwardPorts = is [
    {
      protocol = "udp";
      host = {
        address = "127.0.0.1";
        port = 53;
      };
      guest = {
        address = "";
        port = 5353;
      };
    }
  ] (machine {
    virtualisation.forwardPorts = [
      {
        from = "host";
        proto = "udp";
        host = {
          address = "127.0.0.1";
          port = 53;
        };
        guest.port = 5353;
      }
    ];
  }).network.user.forwards;
  vlans = is [
    {
      name = "eth1";
      vlan = 3;
      mac = "52:54:00:12:03:01";
      addresses = [ ];
    }
    {
      name = "lan";
      vlan = 200;
      mac = "52:54:00:12:c8:01";
      addresses = [ ];
    }
  ] (machine {
    virtualisation.vlans = [ 3 ];
    virtualisation.interfaces.lan.vlan = 200;
  }).network.interfaces;
  "interfaces (26.05)" = is [ "lan" ] (
    map (interface: interface.name)
      (machineOf unstable { virtualisation.interfaces.lan.vlan = 2; }).network.interfaces
  );
  "qemu.options" = is [
    "-device"
    "i6300esb"
  ] (lastTwo (machine { virtualisation.qemu.options = [ "-enable-kvm -device i6300esb" ]; }).qemuOptions);
  "vmtest.qemuOptions" = is [ "-name" "a b" ] (
    lastTwo
      (machine {
        vmtest.qemuOptions = [
          "-name"
          "a b"
        ];
      }).qemuOptions
  );
  bootTimeout = is 99 (machine { vmtest.bootTimeout = 99; }).bootTimeout;
  consoles = is "console=hvc5" (lib.last
    (machine { virtualisation.qemu.consoles = lib.mkForce [ "hvc5" ]; }).kernelParams
  );
  kernelParams = is true (
    builtins.elem "quiet" (machine { boot.kernelParams = [ "quiet" ]; }).kernelParams
  );
  fileSystems = is [
    "/"
    "/data"
    "/nix/.ro-store"
    "/nix/.rw-store"
    "/nix/store"
    "/tmp/shared"
    "/tmp/xchg"
  ] (builtins.attrNames
    (test {
      nodes.machine.virtualisation.fileSystems."/data" = {
        device = "/dev/vdb";
        fsType = "ext4";
      };
    }).nodes.machine.fileSystems
  );
  backdoor = is false (test { }).nodes.machine.testing.backdoor;
  "backdoor (24.11)" =
    is false
      (testOf (pkgsOf "24.11") { }).nodes.machine.systemd.services.backdoor.enable;
  "no initrd where none is needed" = is false (test { }).nodes.machine.boot.initrd.enable;
  initrd = is { initrd = "${pkgs.hello}/initrd"; } (machine {
    virtualisation.directBoot.initrd = "${pkgs.hello}/initrd";
  }).boot;
  "start script" =
    is [ "machine" ]
      (builtins.attrNames
        (manifest { nodes.machine.virtualisation.useBootLoader = true; }).startScripts
      );
  "start script, on VLANs" =
    is [ 3 7 ]
      (manifest {
        nodes.machine = {
          vmtest.boot = "script";
          virtualisation.vlans = [
            3
            7
          ];
        };
      }).startScripts.machine.vlans;
  "a test in nixpkgs' own folder" = is [ "-device" "i6300esb" ] (
    lastTwo
      (pkgs.testers.runNixOSTest (pkgs.path + "/nixos/tests/watchdog.nix"))
      .driver.manifest.nodes.machine.qemuOptions
  );
  "options that take effect in the node alone" = is (withoutNode (machine { })) (
    withoutNode (machine {
      virtualisation = {
        msize = 65536;
        graphics = false;
        resolution = {
          x = 800;
          y = 600;
        };
        writableStore = false;
        bootLoaderDevice = "/dev/vda";
        bootPartition = null;
        efi = {
          OVMF = pkgs.hello;
          firmware = "/firmware";
          variables = "/variables";
          keepVariables = false;
        };
        host.pkgs = pkgs;
        qemu = {
          virtioKeyboard = false;
          guestAgent.enable = false;
        };
      };
    })
  );
  "the same (26.05)" = is (withoutNode (machineOf unstable { })) (
    withoutNode (machineOf unstable {
      virtualisation = {
        nixStore9pCache = "none";
        qemu.enableSharedMemory = true;
      };
    })
  );
  useNixStoreImage =
    is true
      (builtins.elem "${pkgs.hello}" (
        (test {
          nodes.machine.virtualisation.useNixStoreImage = true;
          testScript = ''machine.succeed("${pkgs.hello}/bin/hello")'';
        }).driver.exportReferencesGraph."closure.machine"
      ));
  "vmtest.sharedDir" = is true (manifest { vmtest.sharedDir = true; }).sharedDir;
  "machines as modules see them (26.05)" =
    is
      [
        [ "machine" ]
        true
        true
        true
      ]
      (
        let
          inherit
            (testOf unstable {
              containerDefaults.environment.etc.none.text = "";
            })
            config
            ;
        in
        [
          (builtins.attrNames config.allMachines)
          (config.node ? type && config.container ? type)
          (config ? driverConfiguration && config ? driverConfigurationFile)
          (config ? pythonTestDriverPackage)
        ]
      );
  "node.pkgsReadOnly" =
    is 1024
      (manifest { node.pkgsReadOnly = false; }).nodes.machine.memory;
  "skipLint, skipTypeCheck" = is "vm-test-run-options" (test {
    skipLint = true;
    skipTypeCheck = true;
  }).name;
  "test.nodeNumber" = is [ 1 2 ] (
    let
      result = test { nodes.second = { }; };
    in
    [
      result.nodes.machine.virtualisation.test.nodeNumber
      result.nodes.second.virtualisation.test.nodeNumber
    ]
  );
  addresses = is [
    "192.168.1.1"
    "2001:db8:1::1"
  ] (
    let
      inherit ((test { }).nodes.machine) networking;
    in
    [
      networking.primaryIPAddress
      networking.primaryIPv6Address
    ]
  );
  "a test on 24.11" = is "vm-test-run-options" (testOf (pkgsOf "24.11") { }).name;
  "a test on 26.05" = is "vm-test-run-options" (testOf unstable { }).name;
  "a module of a path" = is "vm-test-run-of-a-path" (
    pkgs.vmTest {
      inherit pkgs;
      imports = [ ./test.nix ];
    }
  ).name;
  "meta evaluates no node" = is 5 (test {
    meta.timeout = 5;
    nodes.machine = throw "a node was evaluated";
  }).meta.timeout;
}

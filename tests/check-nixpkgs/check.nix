# NixOS tests evaluated with real parts of nixpkgs: what is found, and what should be.
{
  # Folder of nixpkgs' own `lib`.
  libDir,
  # Folder of nixpkgs' own `nixos`, or null: then the stub has its part.
  nixosDir ? null,
  # File of words: see packages.nix.
  words ? null,
  tools,
  # How many nodes.
  count ? 1,
}:
let
  lib = import libDir;

  library = import ../../lib {
    tools = {
      inherit (tools)
        system
        runner
        agent
        qemu
        e2fsprogs
        tesseract
        ;
    };
  };

  # The stub plays the release that its lib is of.
  stub =
    release:
    import ../nixpkgs-stub {
      inherit (tools) system;
      inherit release tools;
      lib = lib.extend (_final: prev: { trivial = prev.trivial // { inherit release; }; });
      overlays = [
        library.overlay
        (_final: _prev: { inherit (library) vmTest vmTestSuite; })
      ];
    };

  pkgs = import ./packages.nix {
    inherit lib;
    inherit (builtins.fromJSON (builtins.readFile words)) names attributes;
    path = nixosDir + "/..";
  };

  module = {
    name = "check";
    nodes = lib.genAttrs (map (number: "node${toString number}") (lib.range 1 count)) (_: { });
    testScript = { nodes, ... }: "start_all()  # ${toString (builtins.attrNames nodes)}";
  };

  nixosLib = import (nixosDir + "/lib") { inherit lib; };
  upstream = nixosLib.runTest {
    imports = [ module ];
    hostPkgs = pkgs;
    node.pkgs = pkgs;
  };
  ours = library.vmTest (module // { inherit pkgs; });

  manifest =
    node:
    (library.vmTest {
      inherit pkgs;
      name = "check";
      nodes.machine = node;
      testScript = "";
    }).driver.manifest;
  spec = node: (manifest node).nodes.machine;

  full = spec {
    virtualisation = {
      memorySize = 777;
      cores = 3;
      emptyDiskImages = [ 64 ];
      vlans = [
        1
        2
      ];
      restrictNetwork = true;
      qemu.options = [ "-device nvme,serial=1" ];
    };
    boot.kernelParams = [ "quiet" ];
  };

  is = expected: got: { inherit expected got; };
in
{
  withStub = (import ../nixos-options/mapped.nix { pkgsOf = stub; });

  withNixos = {
    memory = is 777 full.memory;
    cores = is 3 full.cores;
    disks = is [
      {
        size = 64;
        serial = "disk0";
      }
    ] full.disks;
    "root disk" = is { size = 1024; } full.root.persistent;
    interfaces = is [
      "eth1 52:54:00:12:01:01"
      "eth2 52:54:00:12:02:01"
    ] (map (interface: "${interface.name} ${interface.mac}") full.network.interfaces);
    "user network" = is true full.network.user.restrict;
    "arguments of QEMU" = is [
      "-device"
      "nvme,serial=1"
    ] (lib.drop (builtins.length full.qemuOptions - 2) full.qemuOptions);
    "kernel parameters" = is [ true true true ] (
      map (wanted: builtins.any (parameter: builtins.match wanted parameter != null) full.kernelParams) [
        "quiet"
        "net.ifnames=0"
        "init=/nix/store/.*-nixos-system-machine-test/init"
      ]
    );
    "file systems" = is [
      "/"
      "/nix/.ro-store"
      "/nix/.rw-store"
      "/nix/store"
      "/tmp/shared"
      "/tmp/xchg"
    ] (builtins.attrNames ours.nodes.node1.fileSystems);
    "boots directly" = is {
      initrd = [ ];
      late = [ ];
      script = [ ];
    } ours.nodes.node1.vmtest.needs;
    "boots by its own initrd" = is { initrd = true; } {
      initrd = (spec { boot.initrd.postDeviceCommands = "true"; }).boot ? initrd;
    };
    "boots by the start script" = is [ "machine" ] (
      builtins.attrNames (manifest { virtualisation.useBootLoader = true; }).startScripts
    );
    "initrd" = is false ours.nodes.node1.boot.initrd.enable;
    "root shell of upstream's" = is false (
      ours.nodes.node1.systemd.services.backdoor.enable or false
      && ours.nodes.node1.testing.backdoor or true
    );
    derivation = is "vm-test-run-check" (builtins.unsafeDiscardStringContext ours.name);
    "interactive driver" = is "nixos-test-driver-check" ours.driverInteractive.name;
  };

  # For their costs.
  upstream = upstream.drvPath;
  ours = ours.drvPath;
}

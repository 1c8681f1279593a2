# Options that decide how a node boots: for each, what is found and what should be.
{ pkgsOf }:
let
  pkgs = pkgsOf "25.11";
  unstable = pkgsOf "26.05";
  inherit (pkgs) lib;

  bootOfIn =
    pkgs: node:
    let
      test = pkgs.testers.runNixOSTest {
        name = "boots";
        nodes.machine = node;
        testScript = "";
      };
      inherit (test.driver) manifest;
    in
    if manifest.startScripts ? machine then
      "script"
    else if manifest.nodes.machine.boot ? initrd then
      "initrd"
    else
      manifest.nodes.machine.boot;

  is = boot: pkgs: node: {
    expected = boot;
    got = bootOfIn pkgs node;
  };

  script = is "script" pkgs;
  initrd = is "initrd" pkgs;
  direct = is "direct" pkgs;

  # Of `virtualisation`.
  scriptBy = virtualisation: script { inherit virtualisation; };
  said =
    (pkgs.testers.runNixOSTest {
      name = "said";
      nodes.machine.boot.initrd.postDeviceCommands = "true";
      testScript = "";
    }).nodes.machine.vmtest;
in
{
  "what a node says of it" = {
    expected = [
      "initrd"
      [ "boot.initrd.postDeviceCommands" ]
    ];
    got = [
      said.bootsBy
      said.bootReasons
    ];
  };
  nothing = direct { };
  "nothing (24.11)" = is "direct" (pkgsOf "24.11") { };
  "nothing (26.05)" = is "direct" unstable { };
  "nothing kept" = direct { virtualisation.diskImage = null; };
  "a store of its own" = direct { virtualisation.useNixStoreImage = true; };
  "another disk" = direct {
    virtualisation.fileSystems."/data" = {
      device = "/dev/vdb";
      fsType = "ext4";
    };
  };
  "systemd in the initrd, by default (26.05)" = is "direct" unstable {
    boot.initrd.systemd.enable = true;
  };

  "boot.initrd.systemd.enable" = initrd { boot.initrd.systemd.enable = true; };
  "boot.initrd.systemd.services" = is "initrd" unstable {
    boot.initrd.systemd.services.probe.script = "true";
  };
  "boot.initrd.postDeviceCommands" = initrd { boot.initrd.postDeviceCommands = "mkfs.ext4 /dev/vdb"; };
  "boot.initrd.kernelModules" = initrd { boot.initrd.kernelModules = [ "dm_mod" ]; };
  "boot.initrd.network.enable" = initrd { boot.initrd.network.enable = true; };
  "directBoot.initrd" = initrd { virtualisation.directBoot.initrd = "${pkgs.hello}/initrd"; };
  "fileSystems.<name>.neededForBoot" = initrd {
    virtualisation.fileSystems."/persist" = {
      device = "/dev/vdb";
      fsType = "ext4";
      neededForBoot = true;
    };
  };
  "fileSystems.\"/var\"" = initrd {
    virtualisation.fileSystems."/var" = {
      device = "/dev/vdb";
      fsType = "ext4";
    };
  };
  "fileSystems.\"/\"" = initrd { virtualisation.fileSystems."/".device = lib.mkForce "/dev/vdc"; };
  writableStoreUseTmpfs = initrd { virtualisation.writableStoreUseTmpfs = false; };
  "system.etc.overlay" = initrd { system.etc.overlay.enable = true; };
  "system.nixos-init" = is "initrd" unstable { system.nixos-init.enable = true; };

  useBootLoader = scriptBy { useBootLoader = true; };
  installBootLoader = scriptBy { installBootLoader = true; };
  useEFIBoot = scriptBy { useEFIBoot = true; };
  useSecureBoot = is "script" unstable { virtualisation.useSecureBoot = true; };
  useBIOSBoot = scriptBy { useBIOSBoot = true; };
  bios = scriptBy { bios = pkgs.hello; };
  "directBoot.enable" = scriptBy { directBoot.enable = false; };
  useDefaultFilesystems = scriptBy { useDefaultFilesystems = false; };
  rootDevice = scriptBy { rootDevice = "/dev/vdz"; };
  "tpm.enable" = scriptBy { tpm.enable = true; };
  "qemu.drives" = scriptBy { qemu.drives = [ { file = "/disk"; } ]; };
  "qemu.diskInterface" = scriptBy { qemu.diskInterface = "scsi"; };
  "qemu.package" = scriptBy { qemu.package = lib.mkForce pkgs.userland; };
  "qemu.networkingOptions" = scriptBy { qemu.networkingOptions = lib.mkForce [ "-nic user" ]; };
  useHostCerts = scriptBy { useHostCerts = true; };
  forwardPorts = scriptBy {
    forwardPorts = [
      {
        from = "guest";
        host.port = 1;
        guest = {
          address = "10.0.2.9";
          port = 1;
        };
      }
    ];
  };
  sharedDirectories = scriptBy {
    sharedDirectories.home = {
      source = "$HOME";
      target = "/mnt";
    };
  };
  "qemu.options" = scriptBy { qemu.options = [ "-drive file=$HOME/disk" ]; };
  credentials = is "script" unstable { virtualisation.credentials.key.text = "secret"; };
  emptyDiskImages = is "script" unstable {
    virtualisation.emptyDiskImages = [
      {
        size = 1;
        driveConfig.driveExtraOpts.discard = "on";
      }
    ];
  };
  "testing.initrdBackdoor" = script {
    testing.initrdBackdoor = true;
    boot.initrd.systemd.enable = true;
  };

  "vmtest.boot" = script { vmtest.boot = "script"; };
  "vmtest.boot, and systemd in the initrd" = is "initrd" unstable { vmtest.boot = "initrd"; };
}

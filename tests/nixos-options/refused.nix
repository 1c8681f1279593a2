# Options that vmtest cannot do: for each a test that has it, and the words in which it is refused.
{ pkgsOf }:
let
  pkgs = pkgsOf "25.11";
  unstable = pkgsOf "26.05";
  inherit (pkgs) lib;

  testOf =
    pkgs: module:
    (pkgs.testers.runNixOSTest {
      imports = [ module ];
      name = "options";
      nodes.machine = { };
      testScript = "";
    }).drvPath;

  ofTest = option: module: {
    error = "vmTest: options: option `${option}`: ";
    test = testOf pkgs module;
  };

  ofNodeOf = pkgs: option: node: {
    error = "vmTest: nodes.machine: option `${option}`: ";
    test = testOf pkgs { nodes.machine = node; };
  };
  ofNode = ofNodeOf pkgs;

  virtualisation = name: value: ofNode "virtualisation.${name}" { virtualisation = value; };
in
{
  containers = {
    error = "vmTest: options: option `containers.box`: vmtest runs virtual machines only, so far";
    test = testOf unstable { containers.box = { }; };
  };
  enableDebugHook = ofTest "enableDebugHook" { enableDebugHook = true; };
  sshBackdoor = ofTest "sshBackdoor.enable" { sshBackdoor.enable = true; };
  extraDriverArgs = ofTest "extraDriverArgs" { extraDriverArgs = [ "--debug" ]; };
  logLevel = ofTest "logLevel" { } // {
    test = testOf unstable { logLevel = "debug"; };
  };

  useBootLoader = virtualisation "useBootLoader" { useBootLoader = true; };
  useEFIBoot = virtualisation "useEFIBoot" { useEFIBoot = true; };
  useBIOSBoot = virtualisation "useBIOSBoot" { useBIOSBoot = true; };
  bios = virtualisation "bios" { bios = pkgs.hello; };
  directBoot = virtualisation "directBoot.enable" { directBoot.enable = false; };
  initrd = virtualisation "directBoot.initrd" { directBoot.initrd = "/initrd"; };
  useDefaultFilesystems = virtualisation "useDefaultFilesystems" { useDefaultFilesystems = false; };
  rootDevice = virtualisation "rootDevice" { rootDevice = "/dev/vdz"; };
  tpm = virtualisation "tpm.enable" { tpm.enable = true; };
  drives = virtualisation "qemu.drives" { qemu.drives = [ { file = "/disk"; } ]; };
  diskInterface = virtualisation "qemu.diskInterface" { qemu.diskInterface = "scsi"; };
  networkingOptions = virtualisation "qemu.networkingOptions" {
    qemu.networkingOptions = lib.mkForce [ "-nic user" ];
  };
  useHostCerts = virtualisation "useHostCerts" { useHostCerts = true; };
  forwardPorts = virtualisation "forwardPorts" {
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
  sharedDirectories = virtualisation "sharedDirectories.home.source" {
    sharedDirectories.home = {
      source = "$HOME";
      target = "/mnt";
    };
  };
  options = virtualisation "qemu.options" { qemu.options = [ "-drive file=$HOME/disk" ]; };
  credentials = ofNodeOf unstable "virtualisation.credentials" {
    virtualisation.credentials.key.text = "secret";
  };
  emptyDiskImages = ofNodeOf unstable "virtualisation.emptyDiskImages" {
    virtualisation.emptyDiskImages = [
      {
        size = 1;
        driveConfig.driveExtraOpts.discard = "on";
      }
    ];
  };
  initrdBackdoor = ofNode "testing.initrdBackdoor" {
    testing.initrdBackdoor = true;
    boot.initrd.systemd.enable = true;
  };
  etcOverlay = ofNode "system.etc.overlay.enable" { system.etc.overlay.enable = true; };
}

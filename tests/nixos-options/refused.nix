# Options that vmtest cannot do: for each a test that has it, and the words in which it is refused.
{ pkgsOf }:
let
  pkgs = pkgsOf "25.11";
  unstable = pkgsOf "26.05";

  evaluated =
    pkgs: module:
    pkgs.testers.runNixOSTest {
      imports = [ module ];
      name = "options";
      nodes.machine = { };
      testScript = "";
    };
  testOf = pkgs: module: (evaluated pkgs module).drvPath;

  ofTest = option: module: {
    error = "vmTest: options: options that cannot be had:\n- `${option}`, in the argument of runNixOSTest: ";
    test = testOf pkgs module;
  };

  # A node that is to boot in a way that has no use for the option.
  ofBoot = boot: option: way: node: {
    error =
      "vmTest: nodes.machine: options that have no effect with `vmtest.boot = \"${boot}\"` "
      + "(leave that away, or set it to \"${way}\"):\n- `${option}`, in the argument of runNixOSTest";
    test = testOf pkgs {
      nodes.machine = {
        imports = [ node ];
        vmtest = { inherit boot; };
      };
    };
  };
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

  "enableDebugHook of the interactive driver" = ofTest "enableDebugHook" { } // {
    test = (evaluated pkgs { interactive.enableDebugHook = true; }).driverInteractive.drvPath;
  };

  "a boot loader, directly" = ofBoot "direct" "virtualisation.useBootLoader" "script" {
    virtualisation.useBootLoader = true;
  };
  "a boot loader, with an initrd" = ofBoot "initrd" "virtualisation.useBootLoader" "script" {
    virtualisation.useBootLoader = true;
  };
  "a snapshot of a start script's machine" = {
    error =
      "vmTest: nodes.machine: with `vmtest.snapshot` it cannot boot by nixpkgs' start script, as these options have it do "
      + "(see nixos/options.md; with `vmtest.snapshot = \"prefer\"` the machines of such a test are booted): "
      + "`virtualisation.useBootLoader`,";
    test = testOf pkgs {
      vmtest.snapshot = true;
      nodes.machine.virtualisation.useBootLoader = true;
    };
  };
  "an initrd's own commands, directly" = ofBoot "direct" "boot.initrd.postDeviceCommands" "initrd" {
    boot.initrd.postDeviceCommands = "true";
  };
}

# Every folder beside this file with a `default.nix` is a test. Those that are meant to fail are named `fails-…`: how they
# fail is in the table of tests/e2e.
{
  # The toolbox: `{ system; runner; agent; qemu; e2fsprogs; kernel; debian; busybox; … }`.
  tools,
  # The builtins where the plugin is loaded; else the library.
  vmTest ? builtins.vmTest or library.vmTest,
  library ? import ../lib { tools = programs; },
  programs ? {
    inherit (tools)
      system
      runner
      agent
      qemu
      e2fsprogs
      tesseract
      ;
  },
}:
let
  given = {
    guests = import ./guests.nix tools;
    inherit vmTest;
    # The stub in place of nixpkgs, whose NixOS tests run on vmtest.
    pkgs = import ./nixpkgs-stub {
      inherit (tools) system;
      inherit tools;
      overlays = [ library.overlay ];
    };
  };

  call = test: test (builtins.intersectAttrs (builtins.functionArgs test) given);

  entries = builtins.readDir ./.;
  isTest =
    name:
    name != "nixpkgs-stub"
    && entries.${name} == "directory"
    && builtins.pathExists (./. + "/${name}/default.nix");
  names = builtins.filter isTest (builtins.attrNames entries);
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = call (import (./. + "/${name}"));
  }) names
)

# Every folder beside this file with a `default.nix` is a test. Those that are meant to fail are named `fails-…`: how they
# fail is in the table of tests/e2e.
{
  # The toolbox: `{ system; runner; agent; qemu; e2fsprogs; kernel; debian; busybox; … }`.
  tools,
  # The builtins where the plugin is loaded; else the library.
  vmTest ? builtins.vmTest or (import ../lib { tools = programs; }).vmTest,
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
  guests = import ./guests.nix tools;

  entries = builtins.readDir ./.;
  isTest = name: entries.${name} == "directory" && builtins.pathExists (./. + "/${name}/default.nix");
  names = builtins.filter isTest (builtins.attrNames entries);
in
builtins.listToAttrs (
  map (name: {
    inherit name;
    value = import (./. + "/${name}") { inherit guests vmTest; };
  }) names
)

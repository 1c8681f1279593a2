# Arguments of QEMU from `virtualisation.qemu.options`, which upstream hands to a shell.
{ lib }:
let
  inherit (lib) filter splitString;

  # What no shell changes.
  isPlain = text: builtins.match "[A-Za-z0-9 @%+=:,./_-]*" text != null;
in
/**
  The words of one element. `fail` gets what is wrong with it.
*/
fail: element:
if isPlain element then
  filter (word: word != "") (splitString " " element)
else
  fail (
    "`${element}` is for a shell, which vmtest does not start: give words without quotes and variables, "
    + "or use `vmtest.qemuOptions`"
  )

# Parts of version numbers.
{ lib }:
let
  part = index: version: builtins.elemAt (builtins.splitVersion version) index;
in
{
  splitVersion = builtins.splitVersion;
  major = part 0;
  minor = part 1;
  patch = part 2;
  majorMinor =
    version: lib.concatStringsSep "." (lib.take 2 (builtins.splitVersion version));
  pad = count: version: lib.concatStringsSep "." (lib.take count (builtins.splitVersion version ++ lib.genList (_: "0") count));
}

# A package that is there already: a store path of the toolbox. It looks like a derivation, but there is nothing to build.
{
  lib,
  system,
  input,
}:
{
  # Name of the tool.
  tool,
  pname ? tool,
  version ? "0",
  mainProgram ? pname,
  passthru ? { },
}:
let
  self = {
    type = "derivation";
    name = "${pname}-${version}";
    inherit pname version system;
    outPath = input tool;
    outputs = [ "out" ];
    outputName = "out";
    out = self;
    meta = {
      inherit mainProgram;
      outputsToInstall = [ "out" ];
      platforms = lib.platforms.linux;
    };
    override = _: self;
    overrideAttrs = _: self;
  }
  // passthru;
in
self

# What packages say of themselves.
{ lib }:
rec {
  addMetaAttrs = attributes: package: package // { meta = package.meta or { } // attributes; };
  setName = name: package: package // { inherit name; };
  lowPrio = addMetaAttrs { priority = 10; };
  hiPrio = addMetaAttrs { priority = -10; };
  availableOn = _platform: _package: true;
  getExe =
    package: getExe' package (package.meta.mainProgram or package.pname or (lib.getName package));
  getExe' = package: program: "${lib.getBin package}/bin/${program}";
  licensesSpdx = { };
}

# The older way to tests: sets with a closed list of attributes.
args@{
  system,
  pkgs ? import ../.. { inherit system config; },
  minimal ? false,
  config ? { },
  specialArgs ? throw "legacy - do not use, see error below",
  extraConfigurations ? [ ],
}:
let
  inherit (pkgs) lib;
  nixos = import ./default.nix { inherit lib; };
  withHost = module: {
    imports = [
      { hostPkgs = pkgs; }
      module
    ];
  };
  evalTest = module: nixos.evalTest (withHost module);
in
assert lib.assertMsg (!args ? specialArgs) "testing-python.nix: specialArgs is not supported; use node.specialArgs in runTest";
assert minimal || true;
rec {
  inherit pkgs evalTest;
  runTest = module: nixos.runTest (withHost module);

  makeTest =
    test@{
      machine ? null,
      nodes ? { },
      testScript,
      enableOCR ? false,
      globalTimeout ? 3600,
      name ? "unnamed",
      skipTypeCheck ? false,
      skipLint ? false,
      passthru ? { },
      meta ? { },
      pos ? null,
      extraPythonPackages ? (_: [ ]),
      interactive ? { },
    }:
    let
      given = builtins.removeAttrs test [ "pos" ];
      inherit
        (evalTest {
          imports = [
            {
              _file = if pos == null then "makeTest argument" else pos.file;
              config = {
                inherit name;
              }
              // given;
            }
            { defaults.imports = extraConfigurations; }
          ];
        })
        config
        ;
    in
    config.test // config;

  simpleTest = test: (makeTest test).test;
}

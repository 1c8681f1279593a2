# Tests as modules of class `nixosTest`.
{
  lib,
}:
let
  since = lib.versionAtLeast lib.trivial.release;

  testModules = [
    ./call-test.nix
    ./driver.nix
    ./interactive.nix
    ./legacy.nix
    ./meta.nix
    ./name.nix
    ./network.nix
    ./nodes.nix
    ./pkgs.nix
    ./run.nix
    ./testScript.nix
  ]
  ++ lib.optionals (since "25.05") [ ./ssh-backdoor.nix ]
  ++ lib.optionals (since "25.11") [ ./overriding.nix ]
  ++ lib.optionals (since "26.05") [
    ../../modules/misc/assertions.nix
    ./containers.nix
    ./driver-configuration.nix
  ];

  evalTest =
    module:
    lib.evalModules {
      class = "nixosTest";
      modules = testModules ++ [ module ];
    };
in
{
  inherit evalTest testModules;
  runTest =
    module:
    (evalTest (
      { config, ... }:
      {
        imports = [ module ];
        result = config.test;
      }
    )).config.result;
}

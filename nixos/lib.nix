# NixOS tests on vmtest: from the user's own nixpkgs, with the test module of vmtest in it.
{
  # `vmTest` for machine specs, see ../lib/default.nix: it takes where the script was written, then the arguments.
  vmTest,
  fail,
}:
let
  testModule = import ./test/default.nix { inherit vmTest; };

  nixpkgs =
    let
      found = builtins.tryEval <nixpkgs>;
    in
    if found.success then
      import found.value { }
    else
      fail "" (
        "a NixOS test needs a nixpkgs: pass its package set as `pkgs`, as in "
        + "`vmTest { inherit pkgs; imports = [ ./test.nix ]; }`"
      );

  nixosLib = pkgs: import (pkgs.path + "/nixos/lib") { inherit (pkgs) lib; };

  hostModule =
    pkgs:
    { lib, ... }:
    {
      _file = "nix-vmtest/nixos/lib.nix";
      hostPkgs = lib.mkDefault pkgs;
      node.pkgs = lib.mkDefault (pkgs.pkgsLinux or pkgs);
    };

  # Where Nix knows that the script of a test stands.
  written =
    test:
    let
      position = builtins.unsafeGetAttrPos "testScript" test;
    in
    {
      _file = "nix-vmtest/nixos/lib.nix";
      config = if builtins.isAttrs test && position != null then { vmtest.scriptPosition = position; } else { };
    };

  evalTest =
    pkgs: modules:
    (nixosLib pkgs).evalTest {
      imports = [
        testModule
        (hostModule pkgs)
      ]
      ++ modules;
    };
in
{
  inherit testModule;

  /**
    Whether arguments of `vmTest` are a NixOS test: a module, a path of one, or options of a test together with a nixpkgs.
  */
  isNixosTest =
    arguments:
    builtins.isFunction arguments
    || builtins.isPath arguments
    || (builtins.isAttrs arguments && (arguments ? pkgs || arguments ? imports));

  /**
    The derivation of a NixOS test.
  */
  runTest =
    arguments:
    let
      isSet = builtins.isAttrs arguments;
      pkgs = if isSet && arguments ? pkgs then arguments.pkgs else nixpkgs;
      module =
        if isSet then
          {
            _file = "the arguments of vmTest";
            imports = arguments.imports or [ ];
            config = builtins.removeAttrs arguments [
              "pkgs"
              "imports"
            ];
          }
        else
          arguments;
    in
    (evalTest pkgs [
      module
      (written arguments)
    ]).config.test;

  /**
    An overlay by which `testers.runNixOSTest`, `testers.nixosTest` and `nixosTest` run on vmtest.
  */
  overlay =
    final: prev:
    let
      inherit (final) lib;

      runNixOSTest =
        module:
        prev.testers.runNixOSTest {
          _file = "nix-vmtest/nixos/lib.nix";
          imports = [
            testModule
            (lib.setDefaultModuleLocation "the argument of runNixOSTest" module)
            (written module)
          ];
        };

      nixosTest =
        test:
        let
          loaded = if builtins.isFunction test || builtins.isAttrs test then test else import test;
          called = lib.toFunction loaded final;
          evaluated = (nixosLib final).evalTest {
            imports = [
              testModule
              (written called)
              {
                _file = "the argument of nixosTest";
                config = builtins.removeAttrs called [ "pos" ] // {
                  name = called.name or "unnamed";
                };
              }
              {
                _file = "nix-vmtest/nixos/lib.nix";
                hostPkgs = final;
                # Not `node.pkgs`: nodes of such tests may have a nixpkgs of their own.
                defaults.nixpkgs.pkgs = lib.mkDefault (final.pkgsLinux or final);
              }
            ];
          };
        in
        evaluated.config.test;
    in
    {
      testers = prev.testers // {
        inherit runNixOSTest nixosTest;
      };
      inherit nixosTest;
    };
}

# All packages, as a function of themselves: overlays are put around it.
{
  config,
  lib,
  overlays,
  system,
  tools,
  withOverlays,
}:
final:
let
  part = file: import file { inherit lib; pkgs = final; };

  # A store path that the toolbox names becomes an input of whatever mentions it, in pure evaluation as well.
  input =
    name:
    let
      path =
        tools.${name} or (throw "the toolbox has no `${name}`; `cargo xtask setup` makes what is missing");
    in
    if builtins.hasContext path then path else builtins.appendContext path { ${path}.path = true; };

  platform = lib.systems.elaborate system;
in
{
  _type = "pkgs";
  path = ../.;
  inherit
    config
    lib
    overlays
    system
    ;
  hostPlatform = platform;
  buildPlatform = platform;
  targetPlatform = platform;

  extend = overlay: withOverlays (overlays ++ [ overlay ]);
  appendOverlays = further: if further == [ ] then final else withOverlays (overlays ++ further);

  pkgs = final;
  pkgsLinux = final;
  buildPackages = final;
  __splicedPackages = final;
  inherit (final.lib) recurseIntoAttrs;

  callPackage =
    given: overrides:
    let
      f = if builtins.isPath given then import given else given;
    in
    f (builtins.intersectAttrs (lib.functionArgs f) final // overrides);
  newScope = extra: given: overrides: final.callPackage given (extra // overrides);

  toolboxPackage = import ./toolbox-package.nix { inherit lib system input; };

  testers = part ./testers.nix;
  inherit (final.testers) nixosTest;
  nixosTests = { };
  nixos =
    configuration:
    let
      evaluated = import ../nixos/lib/eval-config.nix {
        inherit lib system;
        modules = lib.toList configuration ++ [ { nixpkgs.pkgs = lib.mkDefault final; } ];
      };
    in
    evaluated.config.system.build // evaluated;
}
// part ./stdenv.nix
// part ./trivial-builders.nix
// part ./programs.nix
// part ./boot.nix
// part ./closure-info.nix
// part ./linux.nix
// part ./development.nix

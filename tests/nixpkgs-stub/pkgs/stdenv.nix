# `stdenv.mkDerivation`: phases of a build, run by the bash of the toolbox with the toolbox's programs at hand.
{ lib, pkgs }:
let
  inherit (pkgs) hostPlatform system;

  # Attributes that say something of the package and nothing to its builder.
  notForBuilder = [
    "env"
    "meta"
    "passthru"
    "pos"
    "nativeCheckInputs"
    "checkInputs"
    "strictDeps"
  ];

  inputsOf =
    attributes:
    builtins.filter (package: package != null) (
      lib.flatten [
        (attributes.nativeBuildInputs or [ ])
        (attributes.buildInputs or [ ])
        (attributes.nativeCheckInputs or [ ])
      ]
    );

  build =
    attributes:
    let
      name =
        attributes.name
          or "${attributes.pname or (throw "mkDerivation needs a name, or a pname and a version")}-${attributes.version or "0"}";
      derivation' = derivation (
        removeAttrs attributes notForBuilder
        // attributes.env or { }
        // {
          inherit name system;
          builder = attributes.builder or "${pkgs.bash}/bin/bash";
          args = attributes.args or [ ./setup.sh ];
          PATH = lib.makeBinPath (inputsOf attributes ++ [ pkgs.coreutils ]);
        }
        // lib.optionalAttrs (!attributes ? __structuredAttrs || !attributes.__structuredAttrs) {
          nativeBuildInputs = inputsOf attributes;
        }
      );
    in
    derivation';

  make =
    function:
    let
      final = function result;
      result =
        build final
        // final.passthru or { }
        // {
          meta = {
            outputsToInstall = [ "out" ];
          }
          // final.meta or { };
          passthru = final.passthru or { };
          overrideAttrs = change: make (lib.extends (lib.toExtension change) function);
          override = _: result;
          finalPackage = result;
        }
        // lib.optionalAttrs (final ? pname) { inherit (final) pname; }
        // lib.optionalAttrs (final ? version) { inherit (final) version; };
    in
    result;

  stdenv = {
    inherit hostPlatform system;
    buildPlatform = hostPlatform;
    targetPlatform = hostPlatform;
    inherit (hostPlatform) isLinux isDarwin isx86_64 isAarch64;
    shell = "${pkgs.bash}/bin/bash";
    mkDerivation = argument: make (if lib.isFunction argument then argument else _final: argument);
    cc = pkgs.emptyDirectory;
  };
in
{
  inherit stdenv;
  stdenvNoCC = stdenv;
  inherit (stdenv) mkDerivation;
  runtimeShell = stdenv.shell;
}

# What flakes name to build programs and to work on them. It evaluates, and a build says that the stub has no compilers: but the
# programs of nix-vmtest itself are those that the toolbox has built.
{ lib, pkgs }:
let
  unbuildable =
    pname: version: attributes:
    pkgs.runCommand "${pname}-${version}"
      {
        passthru = {
          inherit pname version;
        };
        meta = attributes.meta or { };
      }
      ''
        echo 'the stub of nixpkgs cannot build ${pname}' >&2
        exit 1
      '';

  named = pname: unbuildable pname "0" { };
in
lib.genAttrs [
  "cargo"
  "cargo-nextest"
  "clippy"
  "libffi"
  "nixfmt"
  "pkg-config"
  "rustc"
  "rustfmt"
] named
// {
  mkShell = _: named "shell";

  pkgsStatic = pkgs;

  rustPlatform = {
    bindgenHook = named "bindgen-hook";
    buildRustPackage =
      attributes:
      let
        inherit (attributes) pname version;
        built =
          tool:
          pkgs.runCommand "${pname}-${version}" { inherit (attributes) meta; } ''
            ln -s ${pkgs.toolboxPackage { inherit tool; }} $out
          '';
      in
      {
        vmtest = built "runner";
        vmtest-agent = built "agent";
      }
      .${pname} or (unbuildable pname version attributes);
  };

  # For guests: what is built with it finds no headers.
  nix = pkgs.toolboxPackage {
    tool = "guestNix";
    pname = "nix";
    version = "2.26.3";
  };
  nixVersions = {
    nix_2_18 = throw "nix_2_18 has been removed";
    nix_2_28 = unbuildable "nix" "2.28.5" { };
    nix_2_31 = unbuildable "nix" "2.31.2" { };
    latest = pkgs.nixVersions.nix_2_31;
  };

  python3 = named "python3" // {
    pkgs = pkgs.python3Packages;
  };
  python3Packages.requiredPythonModules = packages: packages;

  tesseract = pkgs.toolboxPackage {
    tool = "tesseract";
    mainProgram = "tesseract";
  };
}

# The packages: the runner and the agent, which are static, and the plugin for each Nix that has the C API.
{ pkgs, source }:
let
  inherit (pkgs) lib;

  parts = [
    ".cargo"
    "Cargo.lock"
    "Cargo.toml"
    "lib"
    "nixos"
    "plugin"
    "runner"
    "tests"
  ];

  # A new README builds nothing.
  src = builtins.path {
    name = "nix-vmtest-source";
    path = source;
    filter =
      path: _:
      builtins.elem (builtins.head (lib.splitString "/" (lib.removePrefix "${source}/" path))) parts;
  };

  # Not of the filtered source: it is not there while a flake is only looked at.
  common = {
    inherit src;
    inherit ((lib.importTOML (source + "/Cargo.toml")).workspace.package) version;
    lockFile = source + "/Cargo.lock";
  };

  runner = pkgs.pkgsStatic.callPackage ../runner/package.nix common;
  agent = pkgs.pkgsStatic.callPackage ../runner/crates/agent/package.nix common;

  plugin =
    nix:
    pkgs.callPackage ../plugin/package.nix (common // { inherit nix runner agent; });

  # Aliases of versions that are gone throw.
  versions = lib.filterAttrs (
    name: nix:
    let
      version = builtins.tryEval nix.version;
    in
    builtins.match "nix_[0-9]+_[0-9]+" name != null
    && version.success
    && lib.versionAtLeast version.value "2.24"
  ) pkgs.nixVersions;
in
{
  inherit runner agent;
  default = runner;
  plugin = plugin pkgs.nix;
}
// lib.mapAttrs' (name: nix: lib.nameValuePair "plugin-${name}" (plugin nix)) versions

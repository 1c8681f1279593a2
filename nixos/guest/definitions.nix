# What the user has said of an option that nixpkgs itself defines, too.
{ lib, modulesPath }:
let
  inherit (lib) hasPrefix;

  nixos = dirOf (toString modulesPath);

  # Tests of nixpkgs' own are users, too.
  isOwn =
    file:
    let
      name = toString file;
    in
    builtins.any (prefix: hasPrefix prefix name) [
      "${nixos}/modules/"
      "${nixos}/lib/"
      "nix-vmtest/"
    ];
in
{
  # The user's definitions, each `{ file; value; }`.
  of =
    option: builtins.filter (definition: !isOwn definition.file) option.definitionsWithLocations;
}

# What the user has said of an option that nixpkgs itself defines, too.
{ lib, nixos }:
let
  inherit (lib) hasPrefix;

  isOwn =
    file:
    let
      name = toString file;
    in
    hasPrefix "${nixos}/" name || hasPrefix "nix-vmtest/" name;
in
{
  # The user's definitions, each `{ file; value; }`.
  of =
    option: builtins.filter (definition: !isOwn definition.file) option.definitionsWithLocations;
}

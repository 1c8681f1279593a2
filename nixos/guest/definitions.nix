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
rec {
  # The user's definitions, each `{ file; value; }`.
  of =
    option: builtins.filter (definition: !isOwn definition.file) option.definitionsWithLocations;

  # The option of a name; nothing is defined of one that there is not.
  named =
    options: name:
    lib.attrByPath (lib.splitString "." name) { definitionsWithLocations = [ ]; } options;

  # A list of options for an error, each on a line of its own, with the files in which the user has written it. Those that follow from
  # others are left out.
  list =
    options: names:
    let
      filesOf =
        name: lib.unique (map (definition: toString definition.file) (of (named options name)));
      written = builtins.filter (name: filesOf name != [ ]) names;
      line =
        name:
        let
          files = filesOf name;
        in
        "\n- `${name}`"
        + lib.optionalString (files != [ ]) ", in ${lib.concatStringsSep ", " files}";
    in
    lib.concatMapStrings line (if written == [ ] then names else written);
}

# The store paths that a test script names: its machines must see them.
let
  inherit (builtins)
    appendContext
    elemAt
    filter
    genList
    getContext
    isString
    length
    match
    split
    storeDir
    substring
    ;

  # A name has at most 211 characters, and a hash 32. A regular expression over a whole script would be too deep for Nix.
  longest = 32 + 1 + 211;

  nameOf =
    text:
    let
      found = match "([0-9a-z]{32}-[0-9A-Za-z+._?=-]+).*" (
        builtins.replaceStrings [ "\n" ] [ " " ] (substring 0 longest text)
      );
    in
    if found == null then null else elemAt found 0;
in
script:
let
  context = getContext script;
  parts = filter isString (split "${storeDir}/" (builtins.unsafeDiscardStringContext script));
  names = filter (name: name != null) (genList (index: nameOf (elemAt parts (index + 1))) (length parts - 1));
  paths = builtins.attrNames (
    builtins.listToAttrs (
      map (name: {
        name = "${storeDir}/${name}";
        value = null;
      }) names
    )
  );
in
# A path without context is none that the script was given.
if context == { } then [ ] else map (path: appendContext path context) paths

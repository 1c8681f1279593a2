# The store paths that a test script names: its machines must see them.
let
  inherit (builtins)
    appendContext
    attrNames
    concatMap
    elemAt
    filter
    foldl'
    genList
    getContext
    isString
    length
    match
    split
    storeDir
    stringLength
    substring
    unsafeDiscardStringContext
    ;

  hashLength = 32;

  # Of a store path: what stands behind its hash.
  nameOf = path: substring (stringLength storeDir + 1 + hashLength + 1) (-1) path;

  # The names that store paths of a context can have. Where one ends in the middle of a text is not to be seen from the text.
  namesOf =
    context:
    concatMap (
      path:
      let
        name = nameOf path;
        derivation = substring 0 (stringLength name - stringLength ".drv") name;
      in
      (if context.${path}.path or false then [ name ] else [ ])
      ++ map (output: if output == "out" then derivation else "${derivation}-${output}") (
        context.${path}.outputs or [ ]
      )
    ) (attrNames context);

  # The longest of the names with which the text begins.
  longest =
    names: text:
    foldl' (
      found: name:
      if stringLength name > stringLength found && substring 0 (stringLength name) text == name then
        name
      else
        found
    ) "" names;
in
script:
let
  context = getContext script;
  names = namesOf context;

  # What follows behind the store's folder, each time that it is named.
  parts = filter isString (split "${storeDir}/" (unsafeDiscardStringContext script));
  rests = genList (index: elemAt parts (index + 1)) (length parts - 1);

  found =
    rest:
    let
      hash = match "([0-9a-z]{32})-" (substring 0 (hashLength + 1) rest);
      name = longest names (substring (hashLength + 1) (-1) rest);
    in
    if hash == null || name == "" then [ ] else [ "${storeDir}/${elemAt hash 0}-${name}" ];

  paths = attrNames (
    builtins.listToAttrs (
      map (path: {
        name = path;
        value = null;
      }) (concatMap found rests)
    )
  );
in
# A path without context is none that the script was given.
map (path: appendContext path context) paths

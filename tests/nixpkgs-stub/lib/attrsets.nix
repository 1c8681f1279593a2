# Functions of attribute sets.
{ lib }:
let
  inherit (builtins)
    concatMap
    elemAt
    filter
    foldl'
    head
    isAttrs
    length
    ;
in
rec {
  inherit (builtins)
    attrNames
    attrValues
    catAttrs
    functionArgs
    getAttr
    hasAttr
    intersectAttrs
    isAttrs
    listToAttrs
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;

  nameValuePair = name: value: { inherit name value; };
  attrVals = names: set: map (name: set.${name}) names;
  mapAttrsToList = f: set: map (name: f name set.${name}) (attrNames set);
  attrsToList = mapAttrsToList nameValuePair;
  mapAttrs' = f: set: listToAttrs (mapAttrsToList f set);
  concatMapAttrs = f: set: mergeAttrsList (mapAttrsToList f set);
  filterAttrs =
    keep: set: removeAttrs set (filter (name: !keep name set.${name}) (attrNames set));
  genAttrs = names: f: listToAttrs (map (name: nameValuePair name (f name)) names);
  genAttrs' = values: f: listToAttrs (map f values);
  optionalAttrs = condition: set: if condition then set else { };
  mergeAttrsList = foldl' (a: b: a // b) { };
  mergeAttrs = a: b: a // b;
  zipAttrs = zipAttrsWith (_name: values: values);
  zipAttrsWithNames =
    names: f: sets:
    genAttrs names (name: f name (catAttrs name sets));
  foldlAttrs =
    f: start: set:
    foldl' (value: name: f value name set.${name}) start (attrNames set);
  collect =
    wanted: set:
    if wanted set then
      [ set ]
    else if isAttrs set then
      concatMap (collect wanted) (attrValues set)
    else
      [ ];
  cartesianProduct =
    set:
    foldl' (
      found: name: concatMap (one: map (value: one // { ${name} = value; }) set.${name}) found
    ) [ { } ] (attrNames set);

  isDerivation = value: value.type or null == "derivation";
  recurseIntoAttrs = set: set // { recurseForDerivations = true; };
  dontRecurseIntoAttrs = set: set // { recurseForDerivations = false; };

  mapAttrsRecursiveCond =
    enter: f: set:
    let
      walk =
        path:
        mapAttrs (
          name: value:
          if isAttrs value && enter value then walk (path ++ [ name ]) value else f (path ++ [ name ]) value
        );
    in
    walk [ ] set;
  mapAttrsRecursive = mapAttrsRecursiveCond (_: true);

  # Paths of names.
  attrByPath =
    path: default: set:
    let
      walk =
        index: value:
        if index == length path then
          value
        else if isAttrs value && value ? ${elemAt path index} then
          walk (index + 1) value.${elemAt path index}
        else
          default;
    in
    walk 0 set;
  hasAttrByPath =
    path: set:
    path == [ ]
    || (isAttrs set && set ? ${head path} && hasAttrByPath (builtins.tail path) set.${head path});
  getAttrFromPath =
    path: set: attrByPath path (throw "cannot find attribute `${lib.concatStringsSep "." path}'") set;
  setAttrByPath =
    path: value: lib.foldr (name: inner: { ${name} = inner; }) value path;

  # `stop` is given the path, the left and the right value; the right one wins where it holds.
  recursiveUpdateUntil =
    stop: left: right:
    let
      merge =
        path:
        zipAttrsWith (
          name: values:
          let
            here = path ++ [ name ];
          in
          if length values == 1 then
            head values
          else if stop here (head values) (elemAt values 1) then
            elemAt values 1
          else
            merge here values
        );
    in
    merge [ ] [
      left
      right
    ];
  recursiveUpdate =
    left: right: recursiveUpdateUntil (_path: a: b: !(isAttrs a && isAttrs b)) left right;

  getOutput = output: package: package.${output} or package.out or package;
  getBin = getOutput "bin";
  getLib = getOutput "lib";
  getDev = getOutput "dev";
  getMan = getOutput "man";
  toDerivation = path: {
    type = "derivation";
    name = baseNameOf (toString path);
    outPath = builtins.storePath path;
    outputs = [ "out" ];
  };
}

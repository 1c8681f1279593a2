# Options: their declarations, and how definitions become one value.
{ lib }:
let
  inherit (builtins)
    all
    concatMap
    concatStringsSep
    foldl'
    head
    isAttrs
    isFunction
    isList
    length
    map
    ;
in
rec {
  isOption = value: value._type or null == "option";

  mkOption = attributes: attributes // { _type = "option"; };

  mkEnableOption =
    subject:
    mkOption {
      type = lib.types.bool;
      default = false;
      example = true;
      description = "Whether to enable ${subject}.";
    };

  mkPackageOption =
    packages: name:
    {
      default ? name,
      nullable ? false,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      path = if isList default then default else [ default ];
      what = if isList name then concatStringsSep "." name else name;
    in
    mkOption (
      {
        type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
        description = "The ${what} package to use. ${extraDescription}";
      }
      // (
        if default == null then
          { default = null; }
        else
          {
            default = lib.getAttrFromPath path packages;
            defaultText = literalExpression "${pkgsText}.${concatStringsSep "." path}";
          }
      )
      // (if example == null then { } else { inherit example; })
    );

  mkSinkUndeclaredOptions =
    attributes:
    mkOption (
      {
        internal = true;
        visible = false;
        default = false;
        description = "Takes what nobody declares.";
        type = lib.types.unspecified;
        apply = _: throw "an option that nobody declares was read";
      }
      // attributes
    );

  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalExample = literalExpression;
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  mdDoc = text: text;

  showOption =
    path:
    concatStringsSep "." (
      map (
        name:
        if name == "*" || builtins.match "<[a-z]+>|[a-zA-Z_][a-zA-Z0-9_'-]*" name != null then
          name
        else
          ''"${name}"''
      ) path
    );

  # What definitions say and where, for errors.
  showDefs =
    definitions:
    lib.concatMapStrings (
      { file, value, ... }:
      let
        shown = builtins.tryEval (describe value);
      in
      "\n- In `${file}'" + (if shown.success then ": ${shown.value}" else "")
    ) definitions;

  describe =
    value:
    if isFunction value then
      "<function>"
    else if isAttrs value then
      if value.type or null == "derivation" then
        "<derivation ${value.name or "?"}>"
      else
        "{ ${concatStringsSep " " (map (name: "${name} = …;") (lib.take 5 (builtins.attrNames value)))} }"
    else if isList value then
      "[ ${toString (length value)} elements ]"
    else
      builtins.toJSON (if builtins.isPath value then toString value else value);

  showFiles = files: lib.concatMapStringsSep " and " (file: "`${file}'") files;

  getValues = map (definition: definition.value);
  getFiles = map (definition: definition.file);

  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? _path: definitions: (head definitions).value,
    }:
    path: definitions:
    if length definitions == 1 then
      merge path definitions
    else
      throw "The option `${showOption path}' is defined multiple times while it's expected to be unique.\n${message}Definition values:${showDefs definitions}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  mergeEqualOption =
    path: definitions:
    let
      first = head definitions;
    in
    if all (definition: definition.value == first.value) definitions then
      first.value
    else
      throw "The option `${showOption path}' has conflicting definition values:${showDefs definitions}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions.";

  # Of options without a type: what fits the kind of the values.
  mergeDefaultOption =
    path: definitions:
    let
      values = getValues definitions;
    in
    if length values == 1 then
      head values
    else if all isFunction values then
      argument: mergeDefaultOption path (
        map (definition: definition // { value = definition.value argument; }) definitions
      )
    else if all isList values then
      builtins.concatLists values
    else if all isAttrs values then
      foldl' (a: b: a // b) { } values
    else if all builtins.isBool values then
      foldl' (a: b: a || b) false values
    else if all builtins.isString values then
      lib.concatStrings values
    else
      throw "Cannot merge definitions of `${showOption path}'. Definition values:${showDefs definitions}";

  # For manuals: options as a flat list.
  optionAttrSetToDocList =
    options:
    let
      walk =
        value:
        if isOption value then
          [
            {
              inherit (value) loc;
              name = showOption value.loc;
              description = value.description or null;
              declarations = value.declarations or [ ];
              internal = value.internal or false;
              visible = value.visible or true;
              readOnly = value.readOnly or false;
              type = value.type.description or "unspecified";
            }
          ]
        else if isAttrs value then
          concatMap walk (builtins.attrValues (removeAttrs value [ "_module" ]))
        else
          [ ];
    in
    walk options;

  unknownModule = "<unknown-file>";
}

# Types of arguments. A type is a function `path: value:` that returns the value as the rest of the library wants to have
# it, or throws an error that begins with the attribute path. Types are lazy: a part is checked when it is used.
#
# A path is text, or a set that stands for its text and knows where the attribute was written, as far as Nix does.
let
  nearest = import ./nearest.nix;

  inherit (builtins)
    appendContext
    attrNames
    concatStringsSep
    elem
    filter
    hasContext
    head
    isAttrs
    isBool
    isInt
    isList
    isPath
    isString
    length
    mapAttrs
    match
    storeDir
    stringLength
    substring
    typeOf
    ;

  fail =
    path: message:
    throw "vmTest: ${if "${path}" == "" then "" else "${path}: "}${message}${placeOf (path.position or null)}";

  placeOf =
    position:
    if position == null then
      ""
    else
      " (at ${position.file}:${toString position.line}:${toString position.column})";

  # The path of an attribute of `set`, which has `path`.
  attribute =
    path: set: name:
    let
      quoted = if match "[A-Za-z_][A-Za-z0-9_'-]*" name == null then ''"${name}"'' else name;
    in
    {
      __toString = _: if path == "" then quoted else "${path}.${quoted}";
      position = builtins.unsafeGetAttrPos name set;
    };

  # The path of an element of a list: it was written where the list was, or after that.
  element = path: index: {
    __toString = _: "${path}[${toString index}]";
    position = path.position or null;
  };

  describe =
    value:
    {
      bool = "a Boolean";
      float = "a float";
      int = "an integer";
      lambda = "a function";
      list = "a list";
      null = "null";
      path = "a path";
      set = "an attribute set";
      string = "a string";
    }
    .${typeOf value} or "a ${typeOf value}";

  mismatch =
    path: expected: value:
    fail path "expected ${expected}, got ${describe value}";

  # Unlike a loop over a list, this leaves elements unevaluated until they are used.
  mapIndexed =
    function: list: builtins.genList (index: function index (builtins.elemAt list index)) (length list);

  unknownAttribute =
    path: known: set: name:
    let
      meant = nearest name known;
      place = {
        __toString = _: "${path}";
        position = builtins.unsafeGetAttrPos name set;
      };
    in
    fail place (
      "unknown attribute `${name}`; "
      + (
        if meant == null then
          "known are ${concatStringsSep ", " (map (knownName: "`${knownName}`") known)}"
        else
          "did you mean `${meant}`?"
      )
    );

  # The store path that a path below it belongs to, or null.
  storePathOf =
    text:
    let
      prefix = "${storeDir}/";
      isBelow = substring 0 (stringLength prefix) text == prefix;
      matched = match "([0-9a-z]{32}-[^/]+)(/.*)?" (
        substring (stringLength prefix) (stringLength text) text
      );
    in
    if isBelow && matched != null then prefix + head matched else null;

  attributeSet = path: value: if isAttrs value then value else mismatch path "an attribute set" value;

  /**
    A path in the Nix store: a derivation, a path (which is copied to the store), or a string. A string without context is
    made to refer to its store path, so that the derivation has it as an input.
  */
  storePath =
    path: value:
    let
      text = "${value}";
      input = storePathOf text;
    in
    if !(isString value || isPath value || value ? outPath) then
      mismatch path "a store path" value
    else if hasContext text then
      text
    else if input == null then
      fail path "expected a store path, got `${text}`, which does not lie in ${storeDir}"
    else
      appendContext text { ${input}.path = true; };
in
{
  inherit
    fail
    attributeSet
    storePath
    ;

  /**
    True or false.
  */
  boolean = path: value: if isBool value then value else mismatch path "a Boolean" value;

  /**
    A string; `pattern` is a regular expression for the whole of it, and `description` says what it stands for.
  */
  string =
    {
      pattern ? null,
      description ? "a string",
    }:
    path: value:
    if !isString value then
      mismatch path description value
    else if pattern != null && match pattern value == null then
      fail path "expected ${description}, got `${value}`"
    else
      value;

  /**
    An integer between `min` and `max`; `description` names the unit.
  */
  integer =
    {
      min,
      max,
      description,
    }:
    path: value:
    if !isInt value then
      mismatch path description value
    else if value < min || value > max then
      fail path "expected ${description} between ${toString min} and ${toString max}, got ${toString value}"
    else
      value;

  /**
    One of the strings `values`.
  */
  oneOf =
    values: path: value:
    let
      expected = "one of ${concatStringsSep ", " (map (known: ''"${known}"'') values)}";
      meant = nearest value values;
    in
    if !isString value then
      mismatch path expected value
    else if !elem value values then
      fail path (
        "expected ${expected}, got \"${value}\""
        + (if meant == null then "" else "; did you mean \"${meant}\"?")
      )
    else
      value;

  /**
    Null, or what `type` takes.
  */
  nullOr =
    type: path: value:
    if value == null then null else type path value;

  /**
    A list whose elements are of `type`.
  */
  listOf =
    type: path: value:
    if !isList value then
      mismatch path "a list" value
    else
      mapIndexed (index: type (element path index)) value;

  /**
    An attribute set with any names, whose values are of `type`.
  */
  attrsOf =
    type: path: value:
    mapAttrs (name: type (attribute path value name)) (attributeSet path value);

  /**
    An attribute set with the attributes `fields`: each has a `type`, and may have a `default`, which is not checked.
    Unknown and missing attributes are reported as soon as the set is looked at.
  */
  record =
    fields: path: value:
    let
      known = attrNames fields;
      unknown = filter (name: !fields ? ${name}) (attrNames (attributeSet path value));
      missing = filter (name: !(fields.${name} ? default || value ? ${name})) known;
    in
    if unknown != [ ] then
      unknownAttribute path known value (head unknown)
    else if missing != [ ] then
      fail path "missing attribute `${head missing}`"
    else
      mapAttrs (
        name: field:
        if value ? ${name} then field.type (attribute path value name) value.${name} else field.default
      ) fields;

  /**
    An attribute set with exactly one of the attributes `alternatives`, which are types.
  */
  tagged =
    alternatives: path: value:
    let
      known = attrNames alternatives;
      names = attrNames value;
      unknown = filter (name: !alternatives ? ${name}) names;
      expected = "an attribute set with one attribute of ${
        concatStringsSep ", " (map (name: "`${name}`") known)
      }";
    in
    if !isAttrs value then
      mismatch path expected value
    else if unknown != [ ] then
      unknownAttribute path known value (head unknown)
    else if length names != 1 then
      fail path "expected ${expected}, got ${toString (length names)}"
    else
      mapAttrs (name: alternatives.${name} (attribute path value name)) value;
}

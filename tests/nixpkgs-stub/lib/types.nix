# Types of options. A type says which values are right (`check`), how definitions become one value (`merge`), what there is
# without any (`emptyValue`), and how it joins another declaration's type (`typeMerge`).
# It is one file, long as it is, since types are made of one another.
{ lib }:
let
  inherit (builtins)
    all
    concatStringsSep
    elem
    filter
    head
    isAttrs
    isBool
    isFloat
    isFunction
    isInt
    isList
    isString
    length
    map
    mapAttrs
    ;
  inherit (lib.options)
    getFiles
    getValues
    mergeDefaultOption
    mergeEqualOption
    mergeOneOption
    showOption
    ;
  inherit (lib.modules) mergeDefinitions;

  # A value out of definitions of which some may have been conditional: without any left, that of the type, or none.
  element =
    path: type: definitions:
    let
      merged = mergeDefinitions path type definitions;
    in
    {
      inherit (merged) isDefined;
      value = if merged.isDefined then merged.mergedValue else type.emptyValue.value or merged.mergedValue;
    };

  # Attributes of several definitions, by name.
  byName =
    definitions:
    builtins.zipAttrsWith (_name: found: found) (
      map (
        definition:
        mapAttrs (_name: value: {
          inherit (definition) file;
          inherit value;
        }) definition.value
      ) definitions
    );

  types = {
    isOptionType = value: value._type or null == "option-type";

    mkOptionType =
      {
        name,
        description ? name,
        descriptionClass ? null,
        check ? _: true,
        merge ? mergeDefaultOption,
        emptyValue ? { },
        getSubOptions ? _prefix: { },
        getSubModules ? null,
        substSubModules ? _modules: null,
        nestedTypes ? { },
        # What joins with another type of the same name: a function of that type, which gives null if it does not.
        join ? _other: null,
        functor ? { },
        deprecationMessage ? null,
        # What the parts of a composed type are, for `join`.
        parts ? null,
      }:
      let
        self = {
          _type = "option-type";
          inherit
            name
            description
            descriptionClass
            check
            merge
            emptyValue
            getSubOptions
            getSubModules
            substSubModules
            nestedTypes
            deprecationMessage
            parts
            ;
          functor = {
            inherit name;
            type = self;
            wrapped = null;
            payload = null;
          }
          // functor;
          typeMerge = other: if other.name or null == name then join other else null;
        };
      in
      self;
  };

  inherit (types) mkOptionType;

  # Types without parts: two of the same name are the same.
  simple =
    attributes:
    let
      self = mkOptionType (attributes // { join = _other: self; });
    in
    self;

  # Types with one type in them.
  wrapping =
    construct: inner: attributes:
    mkOptionType (
      {
        inherit (inner) getSubModules;
        substSubModules = modules: construct (inner.substSubModules modules);
        nestedTypes.elemType = inner;
        parts = inner;
        join =
          other:
          let
            joined = inner.typeMerge other.parts;
          in
          if joined == null then null else construct joined;
        functor.wrapped = inner;
      }
      // attributes
    );

  integer =
    description: check:
    simple {
      name = "int";
      inherit description;
      check = value: isInt value && check value;
      merge = mergeEqualOption;
    };

  isStringLike = value: isString value || builtins.isPath value || value ? outPath || value ? __toString;
in
types
// rec {
  raw = simple {
    name = "raw";
    description = "raw value";
    merge = mergeOneOption;
  };

  unspecified = simple {
    name = "unspecified";
    description = "unspecified value";
  };

  anything = simple {
    name = "anything";
    description = "anything";
    merge =
      path: definitions:
      let
        values = getValues definitions;
      in
      if length values == 1 && !isAttrs (head values) then
        head values
      else if all (value: isAttrs value && !isStringLike value) values then
        (lazyAttrsOf anything).merge path definitions
      else if all isFunction values then
        argument:
        anything.merge (path ++ [ "<function body>" ]) (
          map (definition: definition // { value = definition.value argument; }) definitions
        )
      else
        mergeEqualOption path definitions;
  };

  bool = simple {
    name = "bool";
    description = "boolean";
    check = isBool;
    merge = mergeEqualOption;
  };

  boolByOr = simple {
    name = "boolByOr";
    description = "boolean (merged using or)";
    check = isBool;
    merge = _path: definitions: builtins.any (value: value) (getValues definitions);
  };

  int = integer "signed integer" (_: true);
  ints = {
    positive = integer "positive integer, meaning >0" (value: value > 0);
    unsigned = integer "unsigned integer, meaning >=0" (value: value >= 0);
    between =
      low: high:
      integer "integer between ${toString low} and ${toString high} (both inclusive)" (
        value: value >= low && value <= high
      );
    u8 = ints.between 0 255;
    u16 = ints.between 0 65535;
    u32 = ints.between 0 4294967295;
    s32 = ints.between (-2147483648) 2147483647;
  };
  port = ints.u16 // {
    description = "16 bit unsigned integer; between 0 and 65535 (both inclusive)";
  };

  float = simple {
    name = "float";
    description = "floating point number";
    check = isFloat;
    merge = mergeEqualOption;
  };
  number = either int float;
  numbers.positive = number;
  numbers.nonnegative = number;

  str = simple {
    name = "str";
    description = "string";
    check = isString;
    merge = mergeEqualOption;
  };
  singleLineStr = strMatching "[^\n\r]*\n?";
  nonEmptyStr = strMatching ".*[^ \t\n].*";
  strMatching =
    pattern:
    simple {
      name = "strMatching ${builtins.toJSON pattern}";
      description = "string matching the pattern ${pattern}";
      check = value: isString value && builtins.match pattern value != null;
      merge = mergeEqualOption;
    };
  passwdEntry =
    inner:
    inner
    // {
      name = "passwdEntry ${inner.name}";
      description = "${inner.description}, not containing newlines or colons";
      check = value: inner.check value && builtins.match "[^:\n]*" value != null;
    };

  separatedString =
    separator:
    simple {
      name = "separatedString";
      description = "strings concatenated with ${builtins.toJSON separator}";
      check = isString;
      merge = _path: definitions: concatStringsSep separator (getValues definitions);
    };
  lines = separatedString "\n";
  commas = separatedString ",";
  envVar = separatedString ":";

  attrs = simple {
    name = "attrs";
    description = "attribute set";
    check = isAttrs;
    merge = _path: definitions: builtins.foldl' (a: b: a // b) { } (getValues definitions);
    emptyValue.value = { };
  };

  package = simple {
    name = "package";
    description = "package";
    check = value: lib.isDerivation value || lib.strings.isStorePath value;
    merge =
      path: definitions:
      let
        value = mergeOneOption path definitions;
      in
      if lib.isDerivation value then value else lib.toDerivation value;
  };
  shellPackage = package // {
    check = value: package.check value && value ? shellPath;
  };
  pkgs = simple {
    name = "pkgs";
    description = "Nixpkgs package set";
    check = value: value._type or null == "pkgs";
    merge = mergeOneOption;
  };

  path = simple {
    name = "path";
    description = "absolute path";
    check = value: isStringLike value && builtins.substring 0 1 (toString value) == "/";
    merge = mergeEqualOption;
  };
  pathInStore = path // {
    name = "pathInStore";
    check = value: isStringLike value && lib.hasPrefix builtins.storeDir (toString value);
  };
  pathWith = _restrictions: path;
  externalPath = path;

  listOf =
    inner:
    wrapping listOf inner {
      name = "listOf";
      description = "list of ${inner.description}";
      check = isList;
      merge =
        path: definitions:
        let
          elements = builtins.concatLists (
            lib.imap1 (
              number: definition:
              lib.imap1 (
                index: value:
                element (path ++ [ "[definition ${toString number}-entry ${toString index}]" ]) inner [
                  {
                    inherit (definition) file;
                    inherit value;
                  }
                ]
              ) definition.value
            ) definitions
          );
        in
        map (found: found.value) (filter (found: found.isDefined) elements);
      emptyValue.value = [ ];
      getSubOptions = prefix: inner.getSubOptions (prefix ++ [ "*" ]);
    };
  nonEmptyListOf =
    inner:
    listOf inner
    // {
      check = value: isList value && value != [ ];
      emptyValue = { };
    };

  attrsOf =
    inner:
    wrapping attrsOf inner {
      name = "attrsOf";
      description = "attribute set of ${inner.description}";
      check = isAttrs;
      merge =
        path: definitions:
        mapAttrs (_name: found: found.value) (
          lib.filterAttrs (_name: found: found.isDefined) (
            mapAttrs (name: element (path ++ [ name ]) inner) (byName definitions)
          )
        );
      emptyValue.value = { };
      getSubOptions = prefix: inner.getSubOptions (prefix ++ [ "<name>" ]);
    };

  # Attributes are not looked at before they are used: one whose definitions are all conditional and off is still there.
  lazyAttrsOf =
    inner:
    wrapping lazyAttrsOf inner {
      name = "lazyAttrsOf";
      description = "lazy attribute set of ${inner.description}";
      check = isAttrs;
      merge =
        path: definitions:
        mapAttrs (name: found: (element (path ++ [ name ]) inner found).value) (byName definitions);
      emptyValue.value = { };
      getSubOptions = prefix: inner.getSubOptions (prefix ++ [ "<name>" ]);
    };

  attrsWith =
    {
      elemType,
      lazy ? false,
      placeholder ? "name",
    }:
    (if lazy then lazyAttrsOf else attrsOf) elemType;

  loaOf = attrsOf;

  nullOr =
    inner:
    wrapping nullOr inner {
      name = "nullOr";
      description = "null or ${inner.description}";
      check = value: value == null || inner.check value;
      merge =
        path: definitions:
        let
          nulls = filter (value: value == null) (getValues definitions);
        in
        if length nulls == length definitions then
          null
        else if nulls != [ ] then
          throw "The option `${showOption path}' is defined both null and not null, in ${lib.options.showFiles (getFiles definitions)}."
        else
          inner.merge path definitions;
      emptyValue.value = null;
      getSubOptions = inner.getSubOptions;
    };

  uniq = unique { message = ""; };
  unique =
    { message }:
    inner:
    wrapping (unique { inherit message; }) inner {
      name = "unique";
      inherit (inner)
        check
        description
        emptyValue
        getSubOptions
        ;
      merge = lib.options.mergeUniqueOption {
        inherit message;
        inherit (inner) merge;
      };
    };

  functionTo =
    inner:
    wrapping functionTo inner {
      name = "functionTo";
      description = "function that evaluates to a(n) ${inner.description}";
      check = lib.isFunction;
      merge = path: definitions: {
        # With the arguments of them all, so that callers can look.
        __functionArgs = lib.mergeAttrsList (
          map (definition: lib.functionArgs definition.value) definitions
        );
        __functor =
          _self: argument:
          (mergeDefinitions (path ++ [ "<function body>" ]) inner (
            map (definition: {
              inherit (definition) file;
              value = definition.value argument;
            }) definitions
          )).mergedValue;
      };
      getSubOptions = prefix: inner.getSubOptions (prefix ++ [ "<function body>" ]);
    };

  enum =
    values:
    let
      show = value: if isString value then ''"${value}"'' else toString value;
    in
    mkOptionType {
      name = "enum";
      description = "one of ${lib.concatMapStringsSep ", " show values}";
      check = value: elem value values;
      merge = mergeEqualOption;
      parts = values;
      join = other: enum (lib.unique (values ++ other.parts));
    };

  either =
    one: other:
    let
      self = mkOptionType {
        name = "either";
        description = "${one.description} or ${other.description}";
        check = value: one.check value || other.check value;
        merge =
          path: definitions:
          let
            values = getValues definitions;
          in
          if all one.check values then
            one.merge path definitions
          else if all other.check values then
            other.merge path definitions
          else
            mergeOneOption path definitions;
        nestedTypes.left = one;
        nestedTypes.right = other;
        join = _: self;
      };
    in
    self;
  oneOf = alternatives: lib.foldr either (lib.last alternatives) (lib.init alternatives);

  coercedTo =
    given: coerce: wanted:
    let
      convert = value: if given.check value then coerce value else value;
      self = mkOptionType {
        name = "coercedTo";
        description = "${wanted.description} or ${given.description} convertible to it";
        check = value: (given.check value && wanted.check (coerce value)) || wanted.check value;
        merge =
          path: definitions:
          wanted.merge path (
            map (definition: definition // { value = convert definition.value; }) definitions
          );
        inherit (wanted) emptyValue getSubOptions getSubModules;
        substSubModules = modules: coercedTo given coerce (wanted.substSubModules modules);
        join = _: self;
        nestedTypes.coercedType = given;
        nestedTypes.finalType = wanted;
      };
    in
    self;

  addCheck = inner: extra: inner // { check = value: inner.check value && extra value; };

  optionType = simple {
    name = "optionType";
    description = "optionType";
    check = types.isOptionType;
    merge =
      path: definitions:
      let
        join =
          a: b:
          let
            joined = a.typeMerge b;
          in
          if joined == null then
            throw "The option `${showOption path}' has types that do not join: ${a.description}, ${b.description}."
          else
            joined;
        values = getValues definitions;
      in
      builtins.foldl' join (head values) (builtins.tail values);
  };

  # Submodules.
  submodule =
    modules:
    submoduleWith {
      shorthandOnlyDefinesConfig = true;
      modules = lib.toList modules;
    };

  submoduleWith =
    {
      modules,
      specialArgs ? { },
      shorthandOnlyDefinesConfig ? false,
      description ? null,
      class ? null,
    }@parts:
    let
      base = lib.evalModules {
        inherit class specialArgs;
        modules = [
          {
            # A manual shows a place instead of a name.
            _module.args.name = lib.mkOptionDefault "‹name›";
          }
        ]
        ++ modules;
      };
      asModule =
        definition:
        if isAttrs definition.value && shorthandOnlyDefinesConfig then
          {
            _file = definition.file;
            config = definition.value;
          }
        else
          lib.modules.setDefaultModuleLocation definition.file definition.value;
    in
    mkOptionType {
      name = "submodule";
      description = if description != null then description else "submodule";
      check = value: isAttrs value || isFunction value || builtins.isPath value;
      merge =
        path: definitions:
        (base.extendModules {
          modules = [
            { _module.args.name = lib.last path; }
          ]
          ++ map asModule definitions;
          prefix = path;
        }).config;
      emptyValue.value = base.config;
      getSubOptions =
        prefix:
        (base.extendModules {
          inherit prefix;
        }).options;
      getSubModules = modules;
      substSubModules = substitutes: submoduleWith (parts // { modules = substitutes; });
      inherit parts;
      functor.payload = parts;
      join =
        other:
        let
          given = other.parts;
          classes = filter (one: one != null) [
            class
            (given.class or null)
          ];
        in
        submoduleWith {
          modules = modules ++ given.modules;
          specialArgs = specialArgs // given.specialArgs or { };
          shorthandOnlyDefinesConfig =
            shorthandOnlyDefinesConfig || given.shorthandOnlyDefinesConfig or false;
          inherit description;
          class =
            if classes == [ ] then
              null
            else if all (one: one == head classes) classes then
              head classes
            else
              throw "A submoduleWith option is declared multiple times with conflicting class values ${concatStringsSep " and " classes}";
        };
    };

  deferredModule = deferredModuleWith { };
  deferredModuleWith =
    {
      staticModules ? [ ],
    }:
    mkOptionType {
      name = "deferredModule";
      description = "module";
      check = value: isAttrs value || isFunction value || builtins.isPath value;
      merge = path: definitions: {
        imports =
          staticModules
          ++ map (
            definition:
            lib.modules.setDefaultModuleLocation "${definition.file}, via option ${showOption path}" definition.value
          ) definitions;
      };
      emptyValue.value = { };
      parts = staticModules;
      join = other: deferredModuleWith { staticModules = staticModules ++ other.parts; };
    };

}

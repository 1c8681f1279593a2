# The module system: many modules, each with declarations of options and definitions for them, become one configuration.
#
# A module is loaded with all that it imports (`load`, `collect`); declarations and definitions then meet name by name, from the
# root down to the options (`mergeLevel`), where definitions become a value (`mergeDefinitions`). Each step
# calls the others again for modules in modules, so that they stand in one file.
{ lib }:
let
  inherit (builtins)
    any
    attrNames
    catAttrs
    concatMap
    elem
    filter
    foldl'
    genericClosure
    head
    isAttrs
    isPath
    isString
    length
    map
    mapAttrs
    removeAttrs
    zipAttrsWith
    ;
  inherit (lib.options)
    isOption
    mkOption
    showDefs
    showFiles
    showOption
    unknownModule
    ;

  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;

  property = type: attributes: attributes // { _type = type; };
  isProperty = type: value: value._type or null == type;

  mkIf = condition: content: property "if" { inherit condition content; };
  mkMerge = contents: property "merge" { inherit contents; };
  mkOverride = priority: content: property "override" { inherit priority content; };
  mkOrder = priority: content: property "order" { inherit priority content; };

  # Sets of definitions by name that a value stands for; what is said of the whole is said of each definition.
  pushDown =
    value:
    if isProperty "merge" value then
      concatMap pushDown value.contents
    else if isProperty "if" value then
      map (mapAttrs (_name: mkIf value.condition)) (pushDown value.content)
    else if isProperty "override" value then
      map (mapAttrs (_name: mkOverride value.priority)) (pushDown value.content)
    else
      [ value ];

  # The values that a definition stands for: none where a condition does not hold.
  discharge =
    value:
    if isProperty "merge" value then
      concatMap discharge value.contents
    else if isProperty "if" value then
      if !builtins.isBool value.condition then
        throw "mkIf called with a condition that is not a Boolean"
      else if value.condition then
        discharge value.content
      else
        [ ]
    else
      [ value ];

  setDefaultModuleLocation = file: module: {
    _file = file;
    imports = [ module ];
  };

  priority = value: if isProperty "override" value then value.priority else defaultOverridePriority;
  order = value: if isProperty "order" value then value.priority else defaultOrderPriority;

  # Of all definitions those of the strongest priority, in order.
  select =
    definitions:
    let
      all = concatMap (
        { file, value }:
        map (value: { inherit file value; }) (
          builtins.addErrorContext "while evaluating definitions from `${file}':" (discharge value)
        )
      ) definitions;
      strongest = foldl' (found: definition: lib.min found (priority definition.value)) 9999 all;
      chosen = map (
        definition:
        if isProperty "override" definition.value then
          definition // { value = definition.value.content; }
        else
          definition
      ) (filter (definition: priority definition.value == strongest) all);
      unwrap =
        definition:
        if isProperty "order" definition.value then
          definition // { value = definition.value.content; }
        else
          definition;
    in
    {
      highestPrio = strongest;
      values =
        if any (definition: isProperty "order" definition.value) chosen then
          map unwrap (builtins.sort (a: b: order a.value < order b.value) chosen)
        else
          chosen;
    };

  # One value out of all definitions of an option, or of an element of it.
  mergeDefinitions =
    path: type: definitions:
    let
      selected = select definitions;
      defsFinal = selected.values;
      isDefined = defsFinal != [ ];
      wrong = filter (definition: !type.check definition.value) defsFinal;
      mergedValue =
        if isDefined then
          if wrong != [ ] then
            throw "A definition for option `${showOption path}' is not of type `${type.description}'. Definition values:${showDefs wrong}"
          else
            type.merge path defsFinal
        else
          type.emptyValue.value
            or (throw "The option `${showOption path}' was accessed but has no value defined. Try setting the option.");
    in
    {
      inherit defsFinal isDefined mergedValue;
      inherit (selected) highestPrio;
      optionalValue = if isDefined then { value = mergedValue; } else { };
    };

  # The declarations of one option as one. Modules of submodules are told which file they are from.
  mergeDeclarations =
    path: declarations:
    let
      join =
        known:
        { file, option }:
        let
          clash = filter (name: known ? ${name} && option ? ${name}) [
            "default"
            "example"
            "description"
            "apply"
          ];
          both = known ? type && option ? type;
          joined = known.type.typeMerge option.type;
          modules = option.type.getSubModules or null;
        in
        if clash != [ ] || (both && joined == null) then
          throw "The option `${showOption path}' in `${file}' is already declared in ${showFiles known.declarations}."
        else
          known
          // option
          // (if both then { type = joined; } else { })
          // {
            declarations = known.declarations ++ [ file ];
            submodules =
              (if modules == null then [ ] else map (setDefaultModuleLocation file) modules) ++ known.submodules;
          };
      merged = foldl' join {
        declarations = [ ];
        submodules = [ ];
      } declarations;
      type = merged.type or lib.types.unspecified;
    in
    removeAttrs merged [ "submodules" ]
    // {
      type = if merged.submodules == [ ] then type else type.substSubModules merged.submodules;
    };

  evalOption =
    path: declarations: definitions:
    let
      declared = mergeDeclarations path declarations;
      inherit (declared) type;
      all =
        if declared ? default then
          [
            {
              file = head declared.declarations;
              value = mkOverride 1500 declared.default;
            }
          ]
          ++ definitions
        else
          definitions;
      merged =
        if declared.readOnly or false && length all > 1 then
          throw "The option `${showOption path}' is read-only, but it's set multiple times. Definition values:${showDefs all}"
        else
          mergeDefinitions path type all;
      value = builtins.addErrorContext "while evaluating the option `${showOption path}':" merged.mergedValue;
    in
    declared
    // {
      inherit (merged) isDefined highestPrio;
      loc = path;
      options = type.getSubOptions path;
      value = if declared ? apply then declared.apply value else value;
      definitions = catAttrs "value" merged.defsFinal;
      definitionsWithLocations = merged.defsFinal;
      files = catAttrs "file" merged.defsFinal;
      __toString = _self: showOption path;
    };

  # Options in the midst of a set of options: an option of a submodule stands for the set that declares more of its options.
  submoduleOf =
    { file, options }:
    {
      inherit file;
      option = mkOption {
        type = lib.types.submoduleWith {
          shorthandOnlyDefinesConfig = false;
          modules = [
            {
              _file = file;
              inherit options;
            }
          ];
        };
      };
    };

  # One level of the tree of options. `declarations` are `{ file; options; }`, `definitions` are `{ file; value; }` with sets as
  # values; `unmatched` are definitions that no option is declared for.
  mergeLevel =
    path: declarations: definitions:
    let
      declared = zipAttrsWith (_name: found: found) (
        map (
          { file, options }:
          mapAttrs (_name: options: { inherit file options; }) options
        ) declarations
      );
      defined = zipAttrsWith (_name: found: found) (
        concatMap (
          { file, value }:
          map (
            set:
            if isAttrs set then
              mapAttrs (_name: value: { inherit file value; }) set
            else
              throw "The option `${showOption path}' is a set of options, but `${file}' defines it as something else: ${lib.options.describe set}"
          ) (pushDown value)
        ) definitions
      );
      results = mapAttrs (
        name: found:
        let
          here = path ++ [ name ];
          given = defined.${name} or [ ];
          areOptions = map (declaration: isOption declaration.options) found;
          asOption =
            declaration:
            if isOption declaration.options then
              {
                inherit (declaration) file;
                option = declaration.options;
              }
            else
              submoduleOf declaration;
        in
        if any (is: is) areOptions then
          let
            option = evalOption here (map asOption found) given;
          in
          {
            options = option;
            config = option.value;
            unmatched = [ ];
          }
        else
          mergeLevel here found given
      ) declared;
    in
    {
      options = mapAttrs (_name: result: result.options) results;
      config = mapAttrs (_name: result: result.config) results;
      unmatched =
        concatMap (result: result.unmatched) (builtins.attrValues results)
        ++ concatMap (
          name:
          map (definition: definition // { prefix = path ++ [ name ]; }) defined.${name}
        ) (filter (name: !declared ? ${name}) (attrNames defined));
    };

  moduleKeys = [
    "_class"
    "_file"
    "config"
    "disabledModules"
    "freeformType"
    "imports"
    "key"
    "meta"
    "options"
  ];

  # A module in one form, however it was written.
  unify =
    file: key: module:
    if isProperty "if" module || isProperty "override" module then
      unify file key { config = module; }
    else if !isAttrs module then
      throw "Module `${file}' does not look like a module: ${lib.options.describe module}"
    else
      let
        structured = module ? config || module ? options;
        unknown = filter (name: !elem name moduleKeys) (attrNames module);
        withFreeform =
          config:
          if module ? freeformType then
            mkMerge [
              config
              { _module.freeformType = module.freeformType; }
            ]
          else
            config;
        withMeta =
          config:
          if module ? meta then
            mkMerge [
              config
              { inherit (module) meta; }
            ]
          else
            config;
      in
      if structured && unknown != [ ] then
        throw "Module `${module._file or file}' has an unsupported attribute `${head unknown}'. This is caused by introducing a top-level `config' or `options' attribute. Add configuration attributes immediately on the top level instead, or move all of them (namely: ${toString unknown}) into the explicit `config' attribute."
      else
        {
          file = toString (module._file or file);
          key = toString (module.key or key);
          class = module._class or null;
          disabled = module.disabledModules or [ ];
          imports = module.imports or [ ];
          options = module.options or { };
          config = withFreeform (
            if structured then
              withMeta (module.config or { })
            else
              removeAttrs module [
                "_class"
                "_file"
                "disabledModules"
                "freeformType"
                "imports"
                "key"
              ]
          );
        };

  # A function's arguments are looked up by the names that it asks for, since those in `_module.args` are options.
  applyModule =
    args: config: key: module:
    if lib.isFunction module then
      let
        named = lib.functionArgs module;
        lookUp =
          name: _optional:
          builtins.addErrorContext "while evaluating the module argument `${name}' in \"${key}\":" (
            args.${name} or config._module.args.${name}
          );
      in
      module (args // mapAttrs lookUp named)
    else
      module;

  load =
    context: parentFile: parentKey: index: module:
    let
      isFile = isPath module || isString module;
      file = if isFile then toString module else parentFile;
      key = if isFile then file else "${parentKey}:anon-${toString index}";
      # Sets that bring a function along (`__functor`) are functions, too.
      loaded =
        if isFile then
          import module
        else if isAttrs module && module ? _type && !elem module._type [ "if" "override" ] then
          throw "Could not load a value as a module, because it is of type ${builtins.toJSON module._type}, in file ${parentFile}."
        else
          module;
      unified = unify file key (applyModule context.args context.config key loaded);
    in
    if context.class != null && unified.class != null && unified.class != context.class then
      throw "The module `${unified.file}' was imported into ${context.class} instead of ${unified.class}."
    else
      unified;

  # All modules, each once, without those that others disable.
  collect =
    context: modules:
    let
      loadAll = parentFile: parentKey: lib.imap1 (load context parentFile parentKey);
      closure =
        keep:
        genericClosure {
          startSet = filter keep (loadAll unknownModule "" modules);
          operator = module: filter keep (loadAll module.file module.key module.imports);
        };
      all = closure (_module: true);
      disabledKey =
        file: entry:
        if isAttrs entry then
          entry.key or (throw "An entry of `disabledModules' in `${file}' has no key.")
        else if isString entry && builtins.substring 0 1 entry != "/" then
          "${toString context.modulesPath}/${entry}"
        else
          toString entry;
      disabled = concatMap (module: map (disabledKey module.file) module.disabled) all;
    in
    if disabled == [ ] then all else closure (module: !elem module.key disabled);

  # Options that every configuration has.
  moduleOptions =
    { class, specialArgs }:
    {
      _file = "lib/modules.nix";
      key = "lib/modules.nix";
      options._module = {
        args = mkOption {
          type = lib.types.lazyAttrsOf lib.types.raw;
          internal = true;
          description = "Arguments of modules beside the common ones.";
        };
        check = mkOption {
          type = lib.types.bool;
          internal = true;
          default = true;
          description = "Whether definitions without a declaration are errors.";
        };
        freeformType = mkOption {
          type = lib.types.nullOr lib.types.optionType;
          internal = true;
          default = null;
          description = "Type of what is defined without a declaration.";
        };
        specialArgs = mkOption {
          readOnly = true;
          internal = true;
          description = "Arguments of modules that imports can depend on.";
        };
      };
      config._module.specialArgs = specialArgs;
    };

  unknownOption =
    definition:
    "The option `${showOption definition.prefix}' does not exist. Definition values:${
      showDefs [ definition ]
    }";

  evalModules =
    evalArgs@{
      modules,
      prefix ? [ ],
      specialArgs ? { },
      class ? null,
      args ? { },
      check ? true,
    }:
    let
      context = {
        inherit class config;
        args = {
          inherit lib options specialArgs;
          inherit config;
          _class = class;
          _prefix = prefix;
        }
        // specialArgs;
        modulesPath =
          specialArgs.modulesPath or (throw "a module is disabled by its name, but there is no modulesPath");
      };

      internal = [
        (moduleOptions { inherit class specialArgs; })
        {
          _file = "lib/modules.nix";
          key = "lib/modules.nix:args";
          config._module.args = args // {
            inherit extendModules;
            moduleType = type;
          };
        }
      ];

      # Later ones come first in lists, as in nixpkgs.
      collected = lib.reverseList (collect context (internal ++ modules));

      level = mergeLevel prefix (map (module: { inherit (module) file options; }) collected) (
        map (module: {
          inherit (module) file;
          value = module.config;
        }) collected
      );

      freeform =
        let
          definitions = map (
            definition:
            definition
            // {
              value = lib.setAttrByPath (lib.drop (length prefix) definition.prefix) definition.value;
            }
          ) level.unmatched;
        in
        (mergeDefinitions prefix level.config._module.freeformType (
          map (definition: { inherit (definition) file value; }) definitions
        )).mergedValue;

      # What modules see is not checked: an error about one definition may have to look at another.
      settings = level.config._module;
      config =
        if level.unmatched != [ ] && settings.freeformType != null then
          lib.recursiveUpdate freeform level.config
        else
          level.config;
      unknown = settings.check && check && settings.freeformType == null && level.unmatched != [ ];
      checked = value: if unknown then throw (unknownOption (head level.unmatched)) else value;
      options = level.options;

      extendModules =
        {
          modules ? [ ],
          specialArgs ? { },
          prefix ? evalArgs.prefix or [ ],
        }:
        evalModules (
          evalArgs
          // {
            inherit prefix;
            modules = evalArgs.modules ++ modules;
            specialArgs = evalArgs.specialArgs or { } // specialArgs;
          }
        );

      type = lib.types.submoduleWith {
        inherit modules specialArgs class;
      };
    in
    {
      _type = "configuration";
      inherit class extendModules type;
      options = checked options;
      config = checked (removeAttrs config [ "_module" ]);
      _module = checked settings;
    };

  # Modules that keep old names alive.
  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
    }:
    { config, options, ... }:
    let
      fromOption = lib.getAttrFromPath from options;
      current = lib.attrByPath to (abort "Renaming error: option `${showOption to}' does not exist.") config;
      toType = (lib.attrByPath to { } options).type or null;
    in
    {
      options = lib.setAttrByPath from (
        mkOption {
          inherit visible;
          description = "Alias of {option}`${showOption to}`.";
          apply = _value: use current;
        }
        // (if toType == null then { } else { type = toType; })
      );
      config = mkMerge [
        (lib.optionalAttrs (options ? warnings) {
          warnings = lib.optional (
            warn && fromOption.isDefined
          ) "The option `${showOption from}' defined in ${showFiles fromOption.files} has been renamed to `${showOption to}'.";
        })
        (lib.setAttrByPath to (
          (if withPriority then mkAliasAndWrapDefsWithPriority else mkAliasAndWrapDefinitions) lib.id fromOption
        ))
      ];
    };

  mkAliasAndWrapDefinitions = wrap: option: mkIf option.isDefined (wrap (mkMerge option.definitions));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    mkIf option.isDefined (wrap (mkMerge (map (mkOverride option.highestPrio) option.definitions)));
in
{
  inherit
    defaultOverridePriority
    defaultOrderPriority
    doRename
    evalModules
    mergeDefinitions
    mkAliasAndWrapDefinitions
    mkAliasAndWrapDefsWithPriority
    mkIf
    mkMerge
    mkOrder
    mkOverride
    setDefaultModuleLocation
    ;
  defaultPriority = defaultOverridePriority;

  mkOptionDefault = mkOverride 1500;
  mkDefault = mkOverride 1000;
  mkImageMediaOverride = mkOverride 60;
  mkForce = mkOverride 50;
  mkVMOverride = mkOverride 10;
  mkBefore = mkOrder 500;
  mkAfter = mkOrder 1500;

  mkAssert =
    condition: message: content:
    mkIf (if condition then true else throw "\nFailed assertion: ${message}") content;

  mkAliasDefinitions = mkAliasAndWrapDefinitions lib.id;

  # A configuration as the value of `extendModules` without anything more.
  fixMergeModules =
    modules: args:
    let
      evaluated = evalModules { inherit modules args; };
    in
    {
      inherit (evaluated) config options;
    };

  importApply = file: argument: {
    _file = file;
    imports = [ (import file argument) ];
  };

  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = builtins.trace "Obsolete option `${showOption from}' is used. It was renamed to `${showOption to}'.";
    };

  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = lib.id;
    };

  mkChangedOptionModule =
    from: to: change:
    { config, options, ... }:
    {
      options = lib.setAttrByPath from (mkOption {
        visible = false;
        description = "Obsolete.";
      });
      config = mkIf (lib.getAttrFromPath from options).isDefined (
        lib.setAttrByPath to (change config)
      );
    };

  mkRemovedOptionModule =
    path: instead:
    { options, ... }:
    {
      options = lib.setAttrByPath path (mkOption {
        visible = false;
        apply = _value: throw "The option `${showOption path}' can no longer be used since it's been removed. ${instead}";
      });
      config.assertions =
        let
          option = lib.getAttrFromPath path options;
        in
        [
          {
            assertion = !option.isDefined;
            message = "The option definition `${showOption path}' in ${showFiles option.files} no longer has any effect; please remove it.\n${instead}";
          }
        ];
    };
}

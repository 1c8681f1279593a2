# The script, which may be a function of the machines.
{
  config,
  hostPkgs,
  lib,
  moduleType,
  ...
}:
let
  inherit (lib) mkOption types;
  test = config;

  # A store image holds what the script refers to. A script that refers to such a machine is given one without them, since
  # they would refer to each other for ever.
  forScript =
    name: node:
    if node.virtualisation.useNixStoreImage then
      test.withoutTestScriptReferences.nodesCompat.${name}
    else
      node;
in
{
  options = {
    testScript = mkOption {
      type = types.either types.str (types.functionTo types.str);
      description = "The script in Python, or a function of `{ nodes, … }` that returns it.";
    };

    testScriptString = mkOption {
      type = types.str;
      readOnly = true;
      internal = true;
      description = "The script as text.";
    };

    includeTestScriptReferences = mkOption {
      type = types.bool;
      default = true;
      internal = true;
      description = "Whether store images hold what the script refers to.";
    };

    withoutTestScriptReferences = mkOption {
      type = moduleType;
      internal = true;
      visible = false;
      description = "The same test without a script.";
    };
  };

  config = {
    withoutTestScriptReferences = {
      includeTestScriptReferences = false;
      testScript = lib.mkForce "testscript omitted";
    };

    testScriptString =
      if lib.isFunction test.testScript then
        test.testScript { nodes = lib.mapAttrs forScript test.nodesCompat; }
      else
        test.testScript;

    ${if lib.versionAtLeast lib.trivial.release "26.05" then "nodeDefaults" else "defaults"} =
      { config, ... }:
      {
        virtualisation.additionalPaths =
          lib.optional
            (
              config.virtualisation.useNixStoreImage
              && test.includeTestScriptReferences
              && builtins.hasContext test.testScriptString
            )
            (hostPkgs.writeStringReferencesToFile test.testScriptString);
      };
  };
}

# A finished test as the start of another one, since 25.11.
{
  config,
  extendModules,
  lib,
  options,
  ...
}:
let
  # Just strong enough to win over what is there.
  oneUp = option: change: lib.mkOverride (option.highestPrio - 1) (change option.value);

  extend =
    {
      modules,
      specialArgs ? { },
    }@args:
    let
      position = builtins.unsafeGetAttrPos "modules" args;
      file = if position == null then "<test.extend module>" else "${position.file}:${toString position.line}";
    in
    (extendModules {
      inherit specialArgs;
      modules = map (lib.setDefaultModuleLocation file) modules;
    }).config.test;
in
{
  passthru = {
    inherit extend;
    inherit (config) test;

    overrideTestDerivation =
      change:
      config.passthru.extend {
        modules = [
          {
            rawTestDerivationArg = oneUp options.rawTestDerivationArg (lib.extends (lib.toExtension change));
          }
        ];
      };

    extendNixOS =
      {
        module,
        specialArgs ? { },
      }:
      config.passthru.extend {
        modules = [
          {
            extraBaseModules = module;
            node.specialArgs = oneUp options.node.specialArgs (_value: specialArgs);
          }
        ];
      };
  };
}

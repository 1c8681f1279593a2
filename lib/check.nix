# Has the scripts of a test checked while the test is evaluated, where the plugin is loaded. Where it is not, the runner does
# the same before it builds anything.
{ fail }:
let
  inherit (builtins)
    attrNames
    attrValues
    concatMap
    fromJSON
    hashString
    listToAttrs
    mapAttrs
    substring
    toJSON
    unsafeDiscardStringContext
    ;

  # The text of its result, by the plugin: JSON of the checker, or why there is none.
  ask = builtins.vmTestCheck or null;

  warn = builtins.warn or builtins.trace;

  # Scripts name store paths, and to check them must not mean to build these.
  json = value: unsafeDiscardStringContext (toJSON value);

  scripts =
    { testScript, prepare, ... }:
    {
      inherit testScript;
    }
    // (if prepare == null then { } else { inherit prepare; });

  request =
    arguments: isCheap:
    let
      inherit (arguments) nodes;
    in
    {
      # What only nodes could tell that are slow to evaluate is left to the runner.
      machines = mapAttrs (_: spec: { startScript = if isCheap then spec ? startScript else null; }) nodes;
      vlans = if isCheap then concatMap (spec: spec.vlans or [ ]) (attrValues nodes) else null;
      inherit (arguments)
        enableOCR
        extraPythonPackages
        skipTypeCheck
        skipLint
        ignoredRules
        ;
    };

  place =
    position:
    if position == null then
      {
        file = null;
        line = null;
      }
    else
      {
        inherit (position) file;
        line = position.line or null;
      };

  verdict =
    answer: value:
    if substring 0 1 answer != "{" then
      (if answer == "" then value else warn "vmTest: test scripts are not checked before the build: ${answer}" value)
    else
      let
        inherit (fromJSON answer) errors warnings;
        noted = if warnings == null then value else warn "vmTest: in the test script:\n${warnings}" value;
      in
      if errors == null then noted else fail "" "the test script is wrong:\n${errors}";
in
/**
  The arguments of a test, with a script whose use has it checked first. `programs` has the runner, which does it; `isCheap`
  says that the machines are quickly evaluated; `positions` has where the scripts were written, as far as Nix knows.
*/
{
  arguments,
  programs,
  isCheap,
  positions,
}:
let
  texts = scripts arguments;
  asked = request arguments isCheap;
  withPlaces = listToAttrs (
    map (name: {
      inherit name;
      value = {
        text = texts.${name};
      }
      // place (positions.${name} or null);
    }) (attrNames texts)
  );
  key = hashString "sha256" (json [
    programs.runner
    texts
    asked
  ]);
  answer = ask (unsafeDiscardStringContext "${programs.runner}/bin/vmtest") key (json {
    scripts = withPlaces;
    test = asked;
  });
in
if ask == null then
  arguments
else
  arguments
  // {
    testScript = if texts == { testScript = ""; } then "" else verdict answer arguments.testScript;
  }

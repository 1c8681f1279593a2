# Functions of strings.
{ lib }:
let
  inherit (builtins)
    concatStringsSep
    isString
    match
    replaceStrings
    stringLength
    substring
    ;
in
rec {
  inherit (builtins)
    baseNameOf
    concatStringsSep
    dirOf
    fromJSON
    isString
    match
    replaceStrings
    stringLength
    substring
    toJSON
    typeOf
    unsafeDiscardStringContext
    ;

  concatStrings = concatStringsSep "";
  join = concatStringsSep;
  concatMapStrings = f: values: concatStrings (map f values);
  concatMapStringsSep =
    separator: f: values:
    concatStringsSep separator (map f values);
  concatImapStrings = f: values: concatStrings (lib.imap1 f values);
  concatMapAttrsStringSep =
    separator: f: set:
    concatStringsSep separator (lib.mapAttrsToList f set);
  concatLines = concatMapStrings (line: line + "\n");
  optionalString = condition: text: if condition then text else "";
  intersperse =
    separator: values:
    lib.tail (
      lib.concatMap (value: [
        separator
        value
      ]) values
    );

  stringToCharacters = text: builtins.genList (n: substring n 1 text) (stringLength text);
  stringAsChars = f: text: concatStrings (map f (stringToCharacters text));
  escape = characters: replaceStrings characters (map (character: "\\${character}") characters);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeNixString = text: escape [ "$" ] (builtins.toJSON text);
  escapeNixIdentifier = text: if match "[a-zA-Z_][a-zA-Z0-9_'-]*" text != null then text else escapeNixString text;
  escapeShellArg =
    value:
    let
      text = toString value;
    in
    if match "[[:alnum:],._+:@%/-]+" text != null then
      text
    else
      "'${replaceStrings [ "'" ] [ "'\\''" ] text}'";
  escapeShellArgs = values: concatMapStringsSep " " escapeShellArg values;
  isStorePath = value: match "${builtins.storeDir}/[^/]+" (toString value) != null;
  isStringLike = value: isString value || builtins.isPath value || value ? outPath || value ? __toString;
  isConvertibleWithToString =
    value:
    isStringLike value
    || builtins.elem (builtins.typeOf value) [
      "null"
      "int"
      "float"
      "bool"
    ];
  hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
  hasSuffix =
    suffix: text:
    stringLength text >= stringLength suffix
    && substring (stringLength text - stringLength suffix) (stringLength suffix) text == suffix;
  hasInfix =
    infix: text: replaceStrings [ infix ] [ "" ] text != text || infix == "";
  removePrefix =
    prefix: text:
    if hasPrefix prefix text then
      substring (stringLength prefix) (stringLength text - stringLength prefix) text
    else
      text;
  removeSuffix =
    suffix: text:
    if hasSuffix suffix text then
      substring 0 (stringLength text - stringLength suffix) text
    else
      text;
  splitString =
    separator: text:
    map (part: builtins.appendContext part (builtins.getContext text)) (
      builtins.filter isString (
        builtins.split (escapeRegex separator) (builtins.unsafeDiscardStringContext text)
      )
    );
  replaceString = from: to: replaceStrings [ from ] [ to ];
  trim =
    text:
    let
      found = match "[ \t\r\n]*(.*[^ \t\r\n])[ \t\r\n]*" text;
    in
    if found == null then "" else builtins.head found;
  fixedWidthString =
    width: filler: text:
    if stringLength text >= width then text else fixedWidthString width filler (filler + text);
  fixedWidthNumber = width: number: fixedWidthString width "0" (toString number);
  toLower = replaceStrings upperLetters lowerLetters;
  toUpper = replaceStrings lowerLetters upperLetters;
  upperLetters = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  lowerLetters = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = upperLetters;
  lowerChars = lowerLetters;
  toSentenceCase = text: toUpper (substring 0 1 text) + substring 1 (stringLength text) text;
  toInt = text: builtins.fromJSON text;
  floatToString = toString;
  versionOlder = a: b: builtins.compareVersions b a == 1;
  versionAtLeast = a: b: !versionOlder a b;
  getName = value: if isString value then (builtins.parseDrvName value).name else value.pname or (builtins.parseDrvName value.name).name;
  getVersion = value: if isString value then (builtins.parseDrvName value).version else value.version or (builtins.parseDrvName value.name).version;
  nameFromURL = url: separator: builtins.head (splitString separator (baseNameOf url));

  makeSearchPath = folder: packages: concatMapStringsSep ":" (package: "${package}/${folder}") (builtins.filter (package: package != null) packages);
  makeSearchPathOutput = output: folder: packages: makeSearchPath folder (map (lib.getOutput output) packages);
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeLibraryPath = makeSearchPathOutput "lib" "lib";

  toShellVar =
    name: value:
    if builtins.isAttrs value && !isStringLike value then
      "declare -A ${name}=(${
        concatStringsSep " " (
          lib.mapAttrsToList (key: entry: "[${escapeShellArg key}]=${escapeShellArg entry}") value
        )
      })"
    else if builtins.isList value then
      "declare -a ${name}=(${escapeShellArgs value})"
    else
      "${name}=${escapeShellArg value}";
  toShellVars = set: concatStringsSep "\n" (lib.mapAttrsToList toShellVar set);
}

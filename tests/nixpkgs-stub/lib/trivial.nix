# Functions that belong to no kind of value.
{ lib }:
let
  inherit (builtins)
    functionArgs
    isAttrs
    isFunction
    trace
    ;
in
rec {
  inherit (builtins)
    add
    bitAnd
    bitOr
    bitXor
    genericClosure
    isBool
    isFloat
    isInt
    lessThan
    pathExists
    readFile
    seq
    deepSeq
    sub
    ;

  id = value: value;
  const = value: _: value;
  pipe = builtins.foldl' (value: f: f value);
  flip =
    f: a: b:
    f b a;
  min = a: b: if a < b then a else b;
  max = a: b: if a > b then a else b;
  mod = a: b: a - b * (a / b);
  and = a: b: a && b;
  or = a: b: a || b;
  boolToString = value: if value then "true" else "false";
  boolToYesNo = value: if value then "yes" else "no";
  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: fromTOML (builtins.readFile path);
  inherit (builtins) fromTOML;

  warn = message: value: trace "evaluation warning: ${message}" value;
  warnIf = condition: message: if condition then warn message else id;
  warnIfNot = condition: warnIf (!condition);
  throwIf = condition: message: if condition then throw message else id;
  throwIfNot = condition: throwIf (!condition);
  info = message: value: trace "INFO: ${message}" value;
  assertMsg = condition: message: condition || throw message;

  isInOldestRelease = version: lib.versionAtLeast lib.trivial.release version;
  oldestSupportedRelease = lib.trivial.release;
  inNixShell = false;
  inPureEvalMode = !(builtins ? currentSystem);

  # A set with `__functor` is a function, too; `setFunctionArgs` makes such sets.
  setFunctionArgs = f: args: {
    __functor = _self: f;
    __functionArgs = args;
  };
  functionArgs =
    f:
    if isAttrs f && f ? __functor then
      f.__functionArgs or (lib.functionArgs (f.__functor f))
    else
      builtins.functionArgs f;
  isFunction = f: builtins.isFunction f || (isAttrs f && f ? __functor && lib.isFunction (f.__functor f));
  mirrorFunctionArgs = f: g: setFunctionArgs g (lib.functionArgs f);
  toFunction = value: if lib.isFunction value then value else _: value;

  toHexString =
    number:
    let
      digits = toBaseDigits 16 number;
    in
    builtins.concatStringsSep "" (map (digit: builtins.substring digit 1 "0123456789ABCDEF") digits);

  toBaseDigits =
    base: number:
    if number < base then [ number ] else toBaseDigits base (number / base) ++ [ (mod number base) ];
}

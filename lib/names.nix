# Names of machines: each is a host name in the test's network and, with `-` as `_`, a variable in the test script.
{ types }:
let
  inherit (builtins)
    attrNames
    elem
    filter
    head
    length
    match
    replaceStrings
    substring
    ;

  pythonKeywords = [
    "False"
    "None"
    "True"
    "and"
    "as"
    "assert"
    "async"
    "await"
    "break"
    "class"
    "continue"
    "def"
    "del"
    "elif"
    "else"
    "except"
    "finally"
    "for"
    "from"
    "global"
    "if"
    "import"
    "in"
    "is"
    "lambda"
    "nonlocal"
    "not"
    "or"
    "pass"
    "raise"
    "return"
    "try"
    "while"
    "with"
    "yield"
  ];

  # Addresses end in a machine's number, and the last address of an IPv4 network is its broadcast address.
  maximum = 254;

  # As the NixOS test driver makes a variable of a name.
  variable =
    name:
    let
      plain = replaceStrings [ "-" ] [ "_" ] name;
    in
    if match "[0-9].*" plain == null then plain else "_" + substring 1 (-1) plain;

  check =
    path: names: name:
    let
      namesakes = filter (other: variable other == variable name) names;
    in
    if match "[A-Za-z0-9]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?" name == null then
      types.fail path (
        "bad machine name `${name}`: expected a host name of at most 63 letters, digits, `-` and `_`, "
        + "with a letter or digit first and last"
      )
    else if elem name pythonKeywords then
      types.fail path "bad machine name `${name}`: it is a keyword of the test script's language"
    else if length namesakes > 1 then
      types.fail path (
        "machines `${head namesakes}` and `${builtins.elemAt namesakes 1}` "
        + "are both `${variable name}` in the test script"
      )
    else
      true;
in
/**
  Returns `nodes` if the names of its attributes can be names of machines.
*/
path: nodes:
let
  names = attrNames nodes;
in
if length names > maximum then
  types.fail path "expected at most ${toString maximum} machines, got ${toString (length names)}"
else
  builtins.seq (builtins.all (check path names) names) nodes

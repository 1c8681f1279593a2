# Functions that NixOS modules are given as `utils`.
{ lib }:
let
  inherit (lib) concatMapStringsSep;

  # Of a character that cannot be in the name of a unit. Nix cannot tell the number of a character, so they are listed.
  codes = {
    " " = "20";
    "+" = "2b";
    "," = "2c";
    "-" = "2d";
    "=" = "3d";
    "@" = "40";
    "\\" = "5c";
    "~" = "7e";
  };
  escape =
    character:
    if builtins.match "[a-zA-Z0-9:_.]" character != null then
      character
    else
      "\\x${codes.${character} or (throw "escapeSystemdPath: the stub does not know `${character}'")}";

  # Without these there is no stage 2.
  early = [
    "/"
    "/etc"
    "/nix"
    "/nix/store"
    "/usr"
    "/var"
    "/var/lib"
    "/var/lib/nixos"
    "/var/log"
  ];
in
{
  pathsNeededForBoot = early;
  fsNeededForBoot = fileSystem: fileSystem.neededForBoot || lib.elem fileSystem.mountPoint early;

  escapeSystemdPath =
    path:
    let
      parts = lib.filter (part: part != "") (lib.splitString "/" path);
    in
    if parts == [ ] then "-" else concatMapStringsSep "-" (lib.strings.stringAsChars escape) parts;

  toShellPath = shell: if lib.isDerivation shell then "/run/current-system/sw${shell.shellPath}" else shell;

  escapeSystemdExecArgs =
    arguments:
    concatMapStringsSep " " (
      argument: builtins.toJSON (lib.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (toString argument))
    ) arguments;
}

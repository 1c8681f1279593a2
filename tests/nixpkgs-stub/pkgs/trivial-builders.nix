# Builders of files and small packages.
{ lib, pkgs }:
let
  inherit (pkgs.stdenv) mkDerivation shell;

  runCommandWith =
    {
      name,
      derivationArgs ? { },
      ...
    }:
    buildCommand:
    mkDerivation (
      derivationArgs
      // {
        inherit name buildCommand;
        passAsFile = [ "buildCommand" ] ++ derivationArgs.passAsFile or [ ];
      }
    );

  runCommand =
    name: environment: buildCommand:
    mkDerivation (
      environment
      // {
        inherit name buildCommand;
      }
      // lib.optionalAttrs (!environment.__structuredAttrs or false) {
        passAsFile = [ "buildCommand" ] ++ environment.passAsFile or [ ];
      }
    );

  local = {
    preferLocalBuild = true;
    allowSubstitutes = false;
  };

  writeTextFile =
    {
      name ? pname,
      pname ? name,
      text,
      executable ? false,
      destination ? "",
      checkPhase ? "",
      meta ? { },
      passthru ? { },
      derivationArgs ? { },
      preferLocalBuild ? true,
      allowSubstitutes ? false,
    }:
    runCommand name
      (
        {
          inherit
            allowSubstitutes
            preferLocalBuild
            text
            meta
            passthru
            ;
          passAsFile = [ "text" ];
        }
        // derivationArgs
      )
      ''
        target=$out${lib.escapeShellArg destination}
        mkdir -p "''${target%/*}"
        cp "$textPath" "$target"
        ${lib.optionalString executable ''chmod +x "$target"''}
        ${checkPhase}
      '';

  writeScriptBin =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
      destination = "/bin/${name}";
      meta.mainProgram = name;
    };

  bashScript = text: "#!${shell}\n${text}\n";

  # The paths of several packages, in one folder of links; those of a package that comes first win.
  linkPaths = ''
    mkdir -p "$out"
    for path in $paths; do
      for wanted in $pathsToLink; do
        [ -e "$path$wanted" ] || continue
        mkdir -p "$out$wanted"
        cp -rsn --no-preserve=mode "$path$wanted/." "$out$wanted/"
      done
    done
  '';
in
{
  inherit
    runCommand
    runCommandWith
    writeScriptBin
    writeTextFile
    ;
  runCommandLocal = name: environment: runCommand name (local // environment);
  runCommandCC = runCommand;

  writeText = name: text: writeTextFile { inherit name text; };
  writeTextDir =
    path: text:
    writeTextFile {
      name = baseNameOf path;
      inherit text;
      destination = "/${path}";
    };
  writeScript =
    name: text:
    writeTextFile {
      inherit name text;
      executable = true;
    };
  writeShellScript =
    name: text:
    writeTextFile {
      inherit name;
      text = bashScript text;
      executable = true;
    };
  writeShellScriptBin = name: text: writeScriptBin name (bashScript text);

  writeShellApplication =
    {
      name,
      text,
      runtimeInputs ? [ ],
      runtimeEnv ? { },
      meta ? { },
      passthru ? { },
      checkPhase ? null,
      excludeShellChecks ? [ ],
      extraShellCheckFlags ? [ ],
      bashOptions ? [
        "errexit"
        "nounset"
        "pipefail"
      ],
      derivationArgs ? { },
      inheritPath ? true,
    }:
    assert checkPhase == null || excludeShellChecks == [ ] || extraShellCheckFlags == [ ] || true;
    writeTextFile {
      inherit name passthru derivationArgs;
      executable = true;
      destination = "/bin/${name}";
      meta = {
        mainProgram = name;
      }
      // meta;
      text = bashScript ''
        ${lib.concatMapStrings (option: "set -o ${option}\n") bashOptions}
        ${lib.concatStrings (
          lib.mapAttrsToList (key: value: "${lib.toShellVar key value}\nexport ${key}\n") runtimeEnv
        )}
        export PATH="${lib.makeBinPath runtimeInputs}${lib.optionalString inheritPath ":$PATH"}"
        ${text}
      '';
    };

  symlinkJoin =
    {
      name,
      paths,
      preferLocalBuild ? true,
      allowSubstitutes ? false,
      postBuild ? "",
      meta ? { },
      passthru ? { },
      nativeBuildInputs ? [ ],
    }:
    runCommand name
      {
        inherit
          allowSubstitutes
          meta
          nativeBuildInputs
          passthru
          paths
          preferLocalBuild
          ;
        pathsToLink = [ "/" ];
      }
      ''
        ${linkPaths}
        ${postBuild}
      '';

  buildEnv =
    {
      name,
      paths,
      pathsToLink ? [ "/" ],
      postBuild ? "",
      ignoreCollisions ? false,
      extraOutputsToInstall ? [ ],
      meta ? { },
      passthru ? { },
    }:
    assert ignoreCollisions || extraOutputsToInstall == [ ] || true;
    runCommand name
      (
        local
        // {
          inherit
            meta
            passthru
            paths
            pathsToLink
            ;
        }
      )
      ''
        ${linkPaths}
        ${postBuild}
      '';

  linkFarm =
    name: entries:
    let
      list =
        if builtins.isList entries then
          entries
        else
          lib.mapAttrsToList (name: path: { inherit name path; }) entries;
    in
    runCommand name (local // { passthru.entries = lib.listToAttrs (map (entry: lib.nameValuePair entry.name entry.path) list); }) (
      "mkdir -p $out\n"
      + lib.concatMapStrings (entry: ''
        mkdir -p "$(dirname "$out"/${lib.escapeShellArg entry.name})"
        ln -s ${lib.escapeShellArg "${entry.path}"} "$out"/${lib.escapeShellArg entry.name}
      '') list
    );

  emptyFile = runCommand "empty-file" local "touch $out";
  emptyDirectory = runCommand "empty-directory" local "mkdir $out";

  writers = {
    writeJSON = name: value: pkgs.writeText name (builtins.toJSON value);
    writeBash = name: text: pkgs.writeShellScript name text;
    writeBashBin = name: text: pkgs.writeShellScriptBin name text;
    inherit (pkgs) writeText;
  };

  formats.json = _: {
    type = lib.types.anything;
    generate = name: value: pkgs.writeText name (builtins.toJSON value);
  };
}

# What store paths refer to.
{ pkgs, ... }:
let
  # Nix lists a closure as blocks of lines: a path, its deriver, how many references it has, these.
  blocks = ''
    each() {
      local path deriver count references reference
      while IFS= read -r path; do
        IFS= read -r deriver
        IFS= read -r count
        references=()
        for ((; count > 0; count--)); do
          IFS= read -r reference
          references+=("$reference")
        done
        "$1"
      done < graph
    }
  '';
in
{
  # The registration lacks hashes and sizes: nothing in a guest of the stub reads it.
  closureInfo =
    { rootPaths }:
    assert builtins.langVersion >= 5;
    pkgs.runCommand "closure-info"
      {
        roots = rootPaths;
        exportReferencesGraph = builtins.concatMap (path: [
          "graph-${builtins.hashString "sha256" (builtins.unsafeDiscardStringContext "${path}")}"
          path
        ]) rootPaths;
        preferLocalBuild = true;
      }
      ''
        mkdir $out
        ${blocks}
        cat graph-* > graph
        declare -A seen
        one() {
          [ -z "''${seen[$path]-}" ] || return 0
          seen[$path]=1
          echo "$path" >> $out/store-paths
          printf '%s\n' "$path" "" "''${#references[@]}" "''${references[@]}" >> $out/registration
        }
        each one
      '';

  writeStringReferencesToFile =
    string:
    let
      file = pkgs.writeText "string-file" string;
    in
    pkgs.runCommand "string-references"
      {
        exportReferencesGraph = [
          "graph"
          file
        ];
        inherit file;
      }
      ''
        ${blocks}
        one() {
          [ "$path" != "$file" ] || printf '%s\n' "''${references[@]}" > $out
        }
        touch $out
        each one
      '';
}

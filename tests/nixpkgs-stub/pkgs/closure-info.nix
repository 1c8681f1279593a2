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
  # `registration` is what `nix-store --load-db` takes.
  closureInfo =
    { rootPaths }:
    assert builtins.langVersion >= 5;
    pkgs.runCommand "closure-info"
      {
        __structuredAttrs = true;
        exportReferencesGraph.closure = rootPaths;
        preferLocalBuild = true;
      }
      ''
        mkdir $out
        # Nix tells hashes and sizes in JSON only. The names of what a path has are in alphabetical order there.
        while IFS=: read -r key value; do
          value=''${value#\"}
          value=''${value%\"}
          case $key in
          '"narHash"') hash=$value ;;
          '"narSize"') size=$value ;;
          '"path"') path=$value ;;
          '"references"')
            value=''${value//[][\"]/}
            IFS=, read -ra references <<< "$value"
            echo "$path" >> $out/store-paths
            printf '%s\n' "$path" "$hash" "$size" "" "''${#references[@]}" "''${references[@]}" >> $out/registration
            ;;
          esac
        done < <(
          grep -oE '"narHash":"[^"]*"|"narSize":[0-9]+|"path":"[^"]*"|"references":\[[^]]*\]' "$NIX_ATTRS_JSON_FILE"
        )
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

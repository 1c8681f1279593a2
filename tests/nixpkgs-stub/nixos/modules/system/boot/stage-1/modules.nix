# Modules of the kernel with all that they need, as `lib/modules/<version>`.
{ pkgs }:
{
  # Where `lib/modules/<version>` is.
  tree,
  # Names. Those that the kernel has built in, or has not at all, are left out.
  modules,
}:
pkgs.runCommand "initrd-modules" {
  __structuredAttrs = true;
  inherit modules;
  tree = "${tree}/lib/modules";
  preferLocalBuild = true;
} ''
  version=$(ls "$tree")
  nameOf() {
    name=''${1##*/}
    name=''${name%%.ko*}
    name=''${name//-/_}
  }
  declare -A known
  while read -r file needed; do
    nameOf "$file"
    known[$name]="''${file%:} $needed"
  done < "$tree/$version/modules.dep"
  while read -r file; do
    nameOf "$file"
    known[$name]=
  done < "$tree/$version/modules.builtin"

  # depmod of the toolbox looks for the modules of a root there.
  target=$PWD/root/run/modules/$version
  mkdir -p "$target"
  for module in "''${modules[@]}"; do
    nameOf "$module"
    [ -v "known[$name]" ] || echo "the kernel has no module $module" >&2
    for file in ''${known[$name]-}; do
      mkdir -p "$target/''${file%/*}"
      cp -f "$tree/$version/$file" "$target/$file"
    done
  done
  cp "$tree/$version"/modules.{builtin,builtin.modinfo,order} "$target/"
  depmod -b "$PWD/root" "$version"
  mkdir -p "$out/lib"
  cp -r "$PWD/root/run/modules" "$out/lib/"
''

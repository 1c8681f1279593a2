# An initrd. It has what is named, under its own path, and not all that this refers to: most programs of a guest are one store
# path, which is too large for the memory of a machine that has not begun to boot.
{ pkgs }:
{
  name,
  # Links, by where they are: each leads to a file or folder of the store, which is in the initrd then.
  files,
  # Files and folders of the store.
  storePaths,
}:
pkgs.runCommand name {
  __structuredAttrs = true;
  inherit files storePaths;
  loader = "${pkgs.userland}/lib/ld-linux-x86-64.so.2";
  preferLocalBuild = true;
} (builtins.readFile ./make.sh)

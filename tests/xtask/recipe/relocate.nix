# Makes a bundle of programs (recipe/bundle.sh) one that runs from its own place in the store, with nothing around it.
{
  name,
  bundle,
  relocator,
}:
derivation {
  inherit name;
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ ./relocate.sh ];
  bundle = builtins.storePath bundle;
  relocator = builtins.storePath relocator;
}

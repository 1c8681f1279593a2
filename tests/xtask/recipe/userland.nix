# Makes what recipe/userland.sh collected a store path that runs from its own place, with nothing around it.
{ bundle, relocator }:
derivation {
  name = "userland";
  system = builtins.currentSystem;
  builder = "/bin/sh";
  args = [ ./userland-relocate.sh ];
  bundle = builtins.storePath bundle;
  relocator = builtins.storePath relocator;
}

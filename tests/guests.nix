# Machine specs of the guests that the toolbox has. A guest takes what is particular to a machine: `layers`, folders that
# are laid over its root, and any attribute of a machine spec.
tools:
let
  guest =
    archive:
    {
      layers ? [ ],
      root ? { },
      ...
    }@spec:
    builtins.removeAttrs spec [ "layers" ]
    // {
      inherit (tools) kernel;
      root = {
        layers = [ { inherit archive; } ] ++ map (tree: { inherit tree; }) layers;
      }
      // root;
    };
in
{
  # Debian with systemd: multi-user, as a server is.
  debian = guest tools.debian;

  # busybox as init, and nothing else: boots in a moment.
  busybox = guest tools.busybox;
}

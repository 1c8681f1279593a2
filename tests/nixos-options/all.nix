# The tables, with what they need.
{
  tools,
  library ? import ../../lib {
    tools = {
      inherit (tools)
        system
        runner
        agent
        qemu
        e2fsprogs
        tesseract
        ;
    };
  },
}:
let
  given.pkgsOf =
    release:
    import ../nixpkgs-stub {
      inherit (tools) system;
      inherit release tools;
      overlays = [
        library.overlay
        (_final: _prev: { inherit (library) vmTest; })
      ];
    };
in
{
  mapped = import ./mapped.nix given;
  boots = import ./boots.nix given;
  refused = import ./refused.nix given;
}

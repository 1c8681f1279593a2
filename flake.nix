{
  description = "NixOS VM tests as one derivation with one static runner";

  outputs = _: {
    # `lib.withTools { system; runner; agent; qemu; e2fsprogs; }` gives `vmTest` without the plugin.
    lib.withTools = tools: import ./lib { inherit tools; };

    nixosModules.host = ./nixos/host.nix;
  };
}

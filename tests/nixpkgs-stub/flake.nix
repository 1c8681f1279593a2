{
  description = "A stand-in for the parts of nixpkgs that nix-vmtest touches";

  outputs =
    { self }:
    let
      release = "25.11";
      nixos = import ./nixos/lib { inherit lib; };
      lib = (import ./lib/make.nix { inherit release; }).extend (
        _final: _previous: {
          inherit nixos;
          nixosSystem =
            arguments:
            import ./nixos/lib/eval-config.nix (
              {
                inherit lib;
                system = null;
                modules = arguments.modules ++ [
                  {
                    system.nixos.versionSuffix = ".stub";
                    nixpkgs.flake.source = self.outPath;
                  }
                ];
              }
              // builtins.removeAttrs arguments [ "modules" ]
            );
        }
      );
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs systems (system: import ./. { inherit system release; });
      nixosModules.readOnlyPkgs = ./nixos/modules/misc/nixpkgs/read-only.nix;
    };
}

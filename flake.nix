{
  description = "NixOS VM tests as one derivation with one static runner";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forPackagesOf = lib.genAttrs systems;

      vmtest = import ./lib {
        tools =
          system:
          let
            pkgs = nixpkgs.legacyPackages.${system};
          in
          {
            inherit (self.packages.${system}) runner agent;
            qemu = pkgs.qemu_test;
            e2fsprogs = lib.getBin pkgs.e2fsprogs;
            inherit (pkgs) tesseract;
          };
      };
    in
    {
      packages = forPackagesOf (
        system:
        import ./nixos/packages.nix {
          pkgs = nixpkgs.legacyPackages.${system};
          source = self;
        }
      );

      lib = {
        # `runTest { pkgs = …; … }` for NixOS tests, `vmTest` and `vmTestSuite` for machine specs, too.
        inherit (vmtest) vmTest vmTestSuite;
        runTest = vmtest.vmTest;
        # The same with other programs: `withTools { system; runner; agent; qemu; e2fsprogs; }`.
        withTools = tools: import ./lib { inherit tools; };
      };

      testModules.default = vmtest.testModule;
      overlays.default = vmtest.overlay;

      nixosModules = {
        guest = ./nixos/guest/default.nix;
        host =
          {
            config,
            lib,
            pkgs,
            ...
          }:
          let
            # Of the machine's own nixpkgs: the plugin becomes part of that Nix's processes.
            packages = import ./nixos/packages.nix {
              inherit pkgs;
              source = self;
            };
          in
          {
            imports = [ ./nixos/host.nix ];
            programs.nix-vmtest.plugin = lib.mkDefault (
              packages.plugin.override { nix = config.nix.package; }
            );
          };
      };

      checks = forPackagesOf (
        system:
        import ./nixos/templates/two-machines/checks.nix {
          pkgs = nixpkgs.legacyPackages.${system}.extend vmtest.overlay;
        }
      );

      devShells = forPackagesOf (system: {
        default = import ./nixos/shell.nix { pkgs = nixpkgs.legacyPackages.${system}; };
      });

      formatter = forPackagesOf (system: nixpkgs.legacyPackages.${system}.nixfmt);

      templates = {
        default = self.templates.one-machine;
        one-machine = {
          path = ./nixos/templates/one-machine;
          description = "A package, a NixOS module with a service, and a test of it";
        };
        two-machines = {
          path = ./nixos/templates/two-machines;
          description = "A test of a server and a client";
        };
        debian = {
          path = ./nixos/templates/debian;
          description = "A test whose machine is not NixOS";
        };
      };
    };
}

# A package set of nothing but names, by which the real modules of NixOS can be evaluated where there are no packages: every package
# is a derivation that nobody builds, and has whatever the modules ask of one.
{
  lib,
  # The folder of nixpkgs.
  path,
  # Words of the modules that may be names of packages, and of what is asked of packages.
  names,
  attributes,
}:
let
  inherit (lib.strings) sanitizeDerivationName;

  linux-kernel = {
    name = "kernel";
    target = "bzImage";
  };
  platform = lib.systems.elaborate "x86_64-linux" // {
    inherit linux-kernel;
  };
  platforms = {
    hostPlatform = platform;
    buildPlatform = platform;
    targetPlatform = platform;
  };

  derivationOf =
    name: attributes:
    derivation (
      {
        name = sanitizeDerivationName name;
        inherit (platform) system;
        builder = "/bin/false";
      }
      // attributes
    );

  # `with…` says whether a package was built with something.
  attributeOf =
    name: attribute:
    if builtins.match "with(out)?[A-Z].*" attribute == null then derivationOf name { } else true;

  package =
    name:
    let
      self = derivationOf name { };
    in
    lib.genAttrs attributes (attributeOf name)
    // self
    // {
      # What is called makes a package, too.
      __functor =
        _: argument:
        if builtins.isAttrs argument then made (argument.name or name) argument else package name;
      pname = name;
      version = "9.0";
      outputs = [ "out" ];
      out = self // {
        version = "9.0";
      };
      meta = {
        description = name;
        license = lib.licenses.mit;
        mainProgram = name;
        platforms = [ ];
      };
      override = _: package name;
      overrideAttrs = _: package name;
      withPackages = _: package name;
      passthru = { };
      stdenv = platform // platforms;
      shellPath = "/bin/${name}";

      # Of systemd.
      interfaceVersion = 2;
      # Of kernels.
      inherit (linux-kernel) target;
      config = { };
      extend = _: package name;
      features = { };
      isHardened = false;
      isLTS = false;
      isXen = false;
      isZen = false;
      kernelAtLeast = _: true;
      kernelOlder = _: false;
      kernelPatches = [ ];
      modDirVersion = "9.0";
      withoutExtras = false;
      # Of initrds.
      compressorArgs = [ ];
      compressorExecutableFunction = _: "/bin/false";
      # Of Python.
      pkgs.requiredPythonModules = packages: packages;
    };

  # What a derivation can have as an attribute; a package is one by its path.
  isValue =
    value:
    builtins.isString value
    || builtins.isInt value
    || builtins.isBool value
    || builtins.isPath value
    || (builtins.isList value && builtins.all isValue value)
    || (builtins.isAttrs value && value ? outPath);

  # A package that depends on what it was made of, so that evaluation does the work that it does in nixpkgs.
  made =
    name: given:
    let
      ofBuild = removeAttrs given [
        "buildInputs"
        "doc"
        "meta"
        "name"
        "nativeBuildInputs"
        "passthru"
      ];
    in
    package name
    // derivationOf name (
      builtins.mapAttrs (_: value: if isValue value then value else null) ofBuild
    )
    // {
      passthru = given.passthru or { };
    }
    // (given.passthru or { });

  text = name: text: made (if builtins.isString name then name else name.name) { inherit text; };
  command = name: environment: text: made name (environment // { inherit text; });
  ofArguments = arguments: made arguments.name arguments;

  kernels = lib.genAttrs names package // {
    kernel = package "kernel" // {
      override = _: kernels.kernel;
    };
    extend = _: kernels;
    inherit (packages) stdenv;
  };

  format = _: {
    type = lib.types.anything;
    generate = name: _: package name;
    lib = {
      inherit (lib) types;
      mkInline = value: value;
      mkRaw = value: value;
    };
  };

  # Modules look names up with `with pkgs`, inside of `with lib`.
  named = removeAttrs (lib.genAttrs names package) (
    builtins.attrNames lib ++ builtins.attrNames builtins
  );

  packages =
    named
    // platforms
    // {
      _type = "pkgs";
      inherit lib path;
      inherit (platform) system;
      config = { };
      overlays = [ ];

      stdenv =
        package "stdenv"
        // platform
        // platforms
        // {
          mkDerivation =
            arguments:
            let
              attributes = if builtins.isFunction arguments then lib.fix arguments else arguments;
            in
            made (attributes.name or attributes.pname) attributes;
          cc = package "cc" // {
            bintools = package "bintools";
            cc = package "cc";
            libc = package "libc";
          };
        };
      stdenvNoCC = packages.stdenv;

      extend = _: packages;
      appendOverlays = _: packages;
      callPackage = _: _: package "called";
      callPackages = _: _: { };
      newScope =
        _: _: _:
        package "called";

      linuxPackages = kernels;
      linuxPackages_latest = kernels;
      linuxKernel = {
        kernels = { };
        packages = { };
        packagesFor = _: kernels;
      };

      formats = lib.genAttrs attributes (_: format) // lib.genAttrs names (_: format);
      writers = lib.genAttrs names (_: text);
      xorg = named // lib.genAttrs names package;
      python3Packages = lib.genAttrs names package // {
        requiredPythonModules = packages: packages;
      };

      substituteAll = arguments: made (arguments.name or "substituted") arguments;
      closureInfo = { rootPaths }: made "closure-info" { inherit rootPaths; };
      makeInitrd = { contents, ... }: made "initrd" { objects = map (entry: "${entry.object}") contents; };
      makeModulesClosure = made "modules-closure";
      aggregateModules = modules: made "modules" { inherit modules; };
      makeDBusConf = _: package "dbus-1";
      makeFontsConf = _: package "fonts.conf";
      libxcrypt = package "libxcrypt" // {
        enabledCryptSchemeIds = [ "y" ];
      };
      nixos-artwork.wallpapers = lib.genAttrs names (name: package name // { gnomeFilePath = "/${name}"; });
      OVMF = package "OVMF" // {
        firmware = "/firmware";
        variables = "/variables";
        systemManagementModeRequired = false;
        fd = packages.OVMF;
        override = _: packages.OVMF;
      };
    }
    // lib.genAttrs [
      "buildPackages"
      "pkgsBuildBuild"
      "pkgsBuildHost"
      "pkgsHostTarget"
      "pkgsLinux"
      "pkgsMusl"
      "pkgsStatic"
      "pkgsi686Linux"
      "__splicedPackages"
    ] (_: packages)
    // lib.genAttrs [
      "writeScript"
      "writeScriptBin"
      "writeShellScript"
      "writeShellScriptBin"
      "writeText"
    ] (_: text)
    // {
      writeTextDir = path: text (baseNameOf path);
    }
    // lib.genAttrs [
      "runCommand"
      "runCommandCC"
      "runCommandLocal"
    ] (_: command)
    // lib.genAttrs [
      "buildEnv"
      "symlinkJoin"
      "writeShellApplication"
      "writeTextFile"
    ] (_: ofArguments)
    // lib.genAttrs [
      "concatText"
      "linkFarm"
      "replaceVars"
    ] (_: name: _: package (toString name));
in
packages

# The plugin for one version of Nix, with the programs of this build compiled in.
{
  lib,
  stdenv,
  rustPlatform,
  pkg-config,
  qemu_test,
  e2fsprogs,
  tesseract,
  src,
  version,
  lockFile,
  nix,
  runner,
  agent,
}:
rustPlatform.buildRustPackage {
  pname = "nix-vmtest-plugin-${nix.version}";
  inherit src version;
  cargoLock = {
    inherit lockFile;
  };

  cargoBuildFlags = [
    "-p"
    "nix-vmtest-plugin"
  ];
  nativeBuildInputs = [
    pkg-config
    rustPlatform.bindgenHook
  ];
  buildInputs = [ (lib.getDev nix) ];

  # Store paths, by which the plugin's users get the programs.
  VMTEST_TOOLS = builtins.toJSON {
    inherit (stdenv.hostPlatform) system;
    runner = "${runner}";
    agent = "${agent}";
    qemu = "${qemu_test}";
    e2fsprogs = "${lib.getBin e2fsprogs}";
    tesseract = "${tesseract}";
  };

  # They need the toolbox.
  doCheck = false;

  passthru = { inherit nix; };

  meta = {
    description = "The plugin by which Nix ${nix.version} has builtins.vmTest";
    license = [
      lib.licenses.mit
      lib.licenses.asl20
    ];
    platforms = [
      "x86_64-linux"
      "aarch64-linux"
    ];
  };
}

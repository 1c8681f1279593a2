# The runner: one static program.
{
  lib,
  rustPlatform,
  libffi,
  src,
  version,
  lockFile,
}:
rustPlatform.buildRustPackage {
  pname = "vmtest";
  inherit src version;
  cargoLock = {
    inherit lockFile;
  };

  cargoBuildFlags = [
    "-p"
    "vmtest"
  ];
  buildInputs = [ libffi ];

  # They start QEMU.
  doCheck = false;

  meta = {
    description = "Runs NixOS VM tests: the builder of the derivations that builtins.vmTest makes";
    mainProgram = "vmtest";
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

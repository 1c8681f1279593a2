# The agent: the static program that is a guest's first process, and answers the runner.
{
  lib,
  rustPlatform,
  src,
  version,
  lockFile,
}:
rustPlatform.buildRustPackage {
  pname = "vmtest-agent";
  inherit src version;
  cargoLock = {
    inherit lockFile;
  };

  cargoBuildFlags = [
    "-p"
    "vmtest-agent"
  ];
  doCheck = false;

  meta = {
    description = "The agent in the machines of nix-vmtest";
    mainProgram = "vmtest-agent";
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

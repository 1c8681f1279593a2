# What nixpkgs puts into a node for its own driver, and vmtest's agent does without.
{
  config,
  lib,
  options,
  ...
}:
let
  inherit (lib) mkForce mkIf mkOverride;
in
{
  _file = "nix-vmtest/nixos/guest/instrumentation.nix";

  # A root shell on a console that is not there: systemd would wait for it until a time-out. With the start script of nixpkgs the
  # console is there, and the agent comes by way of that shell.
  config = mkIf (config.vmtest.boot != "script") (
    if options ? testing.backdoor then
      { testing.backdoor = mkOverride 900 false; }
    else
      { systemd.services.backdoor.enable = mkForce false; }
  );
}

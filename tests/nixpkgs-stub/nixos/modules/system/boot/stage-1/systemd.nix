# Stage 1 by systemd.
{ pkgs, ... }:
{
  files."/init" = pkgs.runCommand "stage-1" { } ''
    echo 'the stub of nixpkgs has no stage 1 by systemd (boot.initrd.systemd.enable)' >&2
    exit 1
  '';
  storePaths = [ ];
}

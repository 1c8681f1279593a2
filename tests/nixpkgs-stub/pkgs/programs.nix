# Packages of programs. Most are all of the toolbox's userland, under another name.
{ lib, pkgs }:
let
  inherit (pkgs) toolboxPackage;

  # By names: the program that each is known for.
  programs = {
    bash = "bash";
    bashInteractive = "bash";
    bashNonInteractive = "bash";
    coreutils = "ls";
    coreutils-full = "ls";
    curl = "curl";
    dbus = "dbus-launch";
    diffutils = "diff";
    e2fsprogs = "mke2fs";
    ethtool = "ethtool";
    file = "file";
    findutils = "find";
    gawk = "awk";
    getent = "getent";
    gnugrep = "grep";
    gnused = "sed";
    gnutar = "tar";
    gzip = "gzip";
    iproute2 = "ip";
    iputils = "ping";
    kmod = "kmod";
    less = "less";
    libressl = "nc";
    linux-pam = "";
    ncurses = "tput";
    netcat = "nc";
    netcat-gnu = "nc";
    netcat-openbsd = "nc";
    procps = "ps";
    shadow = "useradd";
    userland = "bash";
    util-linux = "mount";
  };

  systemd = {
    pname = "systemd";
    version = "257";
    mainProgram = "systemctl";
  };
in
lib.mapAttrs (
  pname: mainProgram:
  toolboxPackage {
    tool = "userland";
    inherit pname mainProgram;
    passthru = lib.optionalAttrs (mainProgram == "bash") { shellPath = "/bin/bash"; };
  }
) programs
// {
  libressl = toolboxPackage {
    tool = "userland";
    pname = "libressl";
    mainProgram = "openssl";
    passthru.nc = pkgs.netcat;
  };

  systemd = toolboxPackage (systemd // { tool = "userland"; });
  systemdMinimal = pkgs.systemd;

  qemu = toolboxPackage {
    tool = "qemu";
    version = "10.0";
    mainProgram = "qemu-system-x86_64";
  };
  qemu_test = toolboxPackage {
    tool = "qemu";
    pname = "qemu-host-cpu-only";
    version = "10.0";
    mainProgram = "qemu-kvm";
    passthru.ga = pkgs.emptyDirectory;
  };
  qemu_kvm = pkgs.qemu_test;

  # Its threads end by a library that it is not linked with.
  erofs-utils = pkgs.writeShellScriptBin "mkfs.erofs" ''
    export LD_LIBRARY_PATH=${pkgs.userland}/lib
    exec ${toolboxPackage { tool = "erofsUtils"; }}/bin/mkfs.erofs "$@"
  '';

  hello = pkgs.writeShellScriptBin "hello" ''
    [ "$1" = -g ] && echo "$2" || echo "Hello, world!"
  '';

  which = pkgs.writeShellScriptBin "which" ''
    status=0
    for program; do type -P "$program" || status=1; done
    exit $status
  '';

  # Looks for windows of a screen that no guest of the stub has.
  xwininfo = pkgs.writeShellScriptBin "xwininfo" ''
    echo "there is no screen" >&2
    exit 1
  '';
  xorg = {
    inherit (pkgs) xwininfo;
  };

  nixos-test-driver = pkgs.runCommand "nixos-test-driver" { } ''
    echo 'the stub of nixpkgs has no test driver of its own' >&2
    exit 1
  '';

  python3Packages = { };
}

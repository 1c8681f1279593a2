# How a boot loader comes to know of a system: `system.build.installBootLoader` is a program that is given a toplevel, and by the stub's
# maker of disks the root that the disk is made of. It writes below /boot and nothing else: where firmware expects a loader's beginning
# outside of file systems, the maker of disks puts it.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.boot.loader;

  timeout = toString (if cfg.timeout == null then 0 else cfg.timeout);

  # GRUB reads the store where it lies on the same disk, and what was copied beside it where /boot is a partition of its own.
  isEFI = cfg.grub.efiSupport;

  grubModules = [
    "configfile"
    "echo"
    "ext2"
    "fat"
    "gzio"
    "linux"
    "loadenv"
    "normal"
    "part_gpt"
    "part_msdos"
    "search"
    "search_label"
    "serial"
    "terminal"
    "test"
  ];

  # The part of GRUB that firmware loads. It finds the others' configuration by itself.
  grubCore =
    platform: prefix: modules:
    pkgs.runCommand "grub-core-${platform}" { preferLocalBuild = true; } ''
      ${pkgs.grub2}/bin/grub-mkimage -d ${pkgs.grub2}/lib/grub/${platform} -O ${platform} -p ${lib.escapeShellArg prefix} \
        -o $out ${toString (grubModules ++ modules)}
    '';
  grubEFI = grubCore "x86_64-efi" "/grub" [ ];

  begin = ''
    #!${pkgs.runtimeShell}
    # TOPLEVEL [ROOT]: the system that is started by default, and the root that it is in.
    set -eu
    export PATH=${lib.makeBinPath [ pkgs.userland ]}
    toplevel=$(readlink -f "$1")
    boot=''${2-}${cfg.efi.efiSysMountPoint}

    # The system itself, and its variants.
    each() {
      "$1" nixos-generation-1 "NixOS" "$toplevel"
      for variant in "$toplevel"/specialisation/*; do
        [ -e "$variant" ] || continue
        "$1" "nixos-generation-1-specialisation-''${variant##*/}" "NixOS (''${variant##*/})" "$(readlink -f "$variant")"
      done
    }

    # copied FOLDER FILE: puts it there, under a name that tells one from another; says which.
    copied() {
      file=$(readlink -f "$2")
      name=''${file#${builtins.storeDir}/}
      name=''${name//\//-}
      mkdir -p "$boot/$1"
      [ -e "$boot/$1/$name" ] || cp "$file" "$boot/$1/$name"
      echo "/$1/$name"
    }
    parameters() {
      echo "init=$1/init $(cat "$1/kernel-params")"
    }
  '';

  systemdBoot = pkgs.writeScript "install-systemd-boot" ''
    ${begin}
    loader=${pkgs.systemd-boot}/lib/systemd/boot/efi/systemd-bootx64.efi
    mkdir -p "$boot/EFI/systemd" "$boot/EFI/BOOT" "$boot/loader/entries"
    cp "$loader" "$boot/EFI/systemd/systemd-bootx64.efi"
    cp "$loader" "$boot/EFI/BOOT/BOOTX64.EFI"
    rm -f "$boot"/loader/entries/nixos-*.conf
    entry() {
      cat > "$boot/loader/entries/$1.conf" <<END
    title $2
    version Generation 1
    linux $(copied EFI/nixos "$3/kernel")
    initrd $(copied EFI/nixos "$3/initrd")
    options $(parameters "$3")
    END
    }
    each entry
    printf '%s\n' "timeout ${timeout}" "default nixos-generation-1.conf" "console-mode keep" > "$boot/loader/loader.conf"
  '';

  grub = pkgs.writeScript "install-grub" ''
    ${begin}
    mkdir -p "$boot/grub"
    ${
      if isEFI then
        ''
          mkdir -p "$boot/EFI/BOOT"
          cp ${grubEFI} "$boot/EFI/BOOT/BOOTX64.EFI"
          path() { copied kernels "$1"; }
        ''
      else
        ''
          path() { readlink -f "$1"; }
        ''
    }
    entry() {
      cat <<END
    menuentry "$2" --id "$1" {
      echo "GRUB starts $1"
      linux $(path "$3/kernel") $(parameters "$3")
      initrd $(path "$3/initrd")
    }
    END
    }
    {
      cat <<'END'
    serial --unit=0 --speed=115200
    terminal_input console serial
    terminal_output console serial
    set default=nixos-generation-1
    set timeout=${timeout}
    # What was chosen for one time only.
    if [ -s $prefix/grubenv ]; then
      load_env
      if [ "$next_entry" ]; then
        set default="$next_entry"
        set next_entry=
        save_env next_entry
      fi
    fi
    ${cfg.grub.extraConfig}
    END
      each entry
    } > "$boot/grub/grub.cfg.new"
    mv "$boot/grub/grub.cfg.new" "$boot/grub/grub.cfg"
  '';
in
{
  config = lib.mkMerge [
    { system.build.installBootLoader = lib.mkDefault "${pkgs.coreutils}/bin/true"; }

    (lib.mkIf cfg.systemd-boot.enable {
      system.build.installBootLoader = systemdBoot;
      system.boot.loader.id = "systemd-boot";
      environment.systemPackages = [ pkgs.systemd-boot ];
    })

    (lib.mkIf cfg.grub.enable {
      system.build.installBootLoader = grub;
      # For a disk that the BIOS starts from: it lies before the first partition, and what it reads then is on that.
      system.build.grubCore = grubCore "i386-pc" "(hd0,msdos1)/boot/grub" [ "biosdisk" ];
      system.boot.loader.id = "grub";
      environment.systemPackages = [ pkgs.grub2 ];
    })
  ];
}

# The program that starts the machine: it makes its disks where there are none, and becomes QEMU.
{ config, lib }:
let
  inherit (lib)
    concatMapStrings
    imap0
    imap1
    mapAttrsToList
    optionalString
    ;
  cfg = config.virtualisation;
  inherit (cfg.host) pkgs;
  inherit (config.system) name;
  inherit (config.system.build) toplevel;

  image = "${cfg.qemu.package}/bin/qemu-img";
  regInfo = pkgs.closureInfo { rootPaths = cfg.additionalPaths; };

  # The store's image has what the machine needs, by its names in the store.
  closure = pkgs.closureInfo {
    rootPaths = [
      toplevel
      regInfo
    ];
  };

  words =
    attributes:
    lib.concatStringsSep "," (
      mapAttrsToList (
        key: value: "${key}=${if builtins.isBool value then (if value then "on" else "off") else toString value}"
      ) attributes
    );
  # An array of the script: one element a line.
  line = word: "  ${word}\n";

  drive =
    number:
    {
      file,
      driveExtraOpts,
      deviceExtraOpts,
      ...
    }:
    let
      id = "drive${toString number}";
      device = words (deviceExtraOpts // { drive = id; });
    in
    "-drive ${
      words (
        driveExtraOpts
        // {
          inherit file id;
          index = number;
          "if" = "none";
        }
      )
    } ${
      if cfg.qemu.diskInterface == "scsi" then
        "-device lsi53c895a -device scsi-hd,${device}"
      else
        "-device virtio-blk-pci,${device}"
    }";

  # The store is a disk, see qemu-vm.nix.
  folders = removeAttrs cfg.sharedDirectories [ "nix-store" ];
  folder =
    tag: { source, securityModel, ... }: "-virtfs local,path=${source},security_model=${securityModel},mount_tag=${tag}";
in
{
  inherit regInfo;

  script = pkgs.writeScript "run-nixos-vm" ''
    #!${pkgs.runtimeShell}
    # Starts the machine ${name}.
    set -e
    export PATH=${lib.makeBinPath [ pkgs.coreutils ]}''${PATH:+:$PATH}

    # Files that outlive the machine are named from where it is started.
    NIX_DISK_IMAGE=''${NIX_DISK_IMAGE:-${toString cfg.diskImage}}
    if [ -n "$NIX_DISK_IMAGE" ]; then
      NIX_DISK_IMAGE=$(readlink -f "$NIX_DISK_IMAGE")
      if [ ! -e "$NIX_DISK_IMAGE" ]; then
        echo "making the disk $NIX_DISK_IMAGE"
        ${
          if cfg.useDefaultFilesystems then
            ''
              raw=$(mktemp)
              ${image} create -q -f raw "$raw" ${toString cfg.diskSize}M
              ${pkgs.e2fsprogs}/bin/mkfs.ext4 -q -L nixos "$raw"
              ${image} convert -f raw -O qcow2 "$raw" "$NIX_DISK_IMAGE"
              rm "$raw"
            ''
          else
            ''${image} create -q -f qcow2 "$NIX_DISK_IMAGE" ${toString cfg.diskSize}M''
        }
      fi
    fi
    ${optionalString cfg.useEFIBoot ''
      NIX_EFI_VARS=$(readlink -f "''${NIX_EFI_VARS:-${name}-efi-vars.fd}")
      [ -e "$NIX_EFI_VARS" ] || install -m 0644 ${cfg.efi.variables} "$NIX_EFI_VARS"
    ''}

    # Others lie in a folder of their own, but for those who want them in theirs.
    if [ -z "''${TMPDIR-}" ] || [ -z "''${USE_TMPDIR-}" ]; then
      TMPDIR=$(mktemp -d --tmpdir nix-vm.XXXXXXXXXX)
    fi
    mkdir -p "$TMPDIR/xchg"
    ${optionalString (cfg.useNixStoreImage || cfg.mountHostNixStore) ''
      mapfile -t paths < ${closure}/store-paths
      ${pkgs.gnutar}/bin/tar -c -C ${builtins.storeDir} --owner=0 --group=0 "''${paths[@]#${builtins.storeDir}/}" \
        | ${pkgs.erofs-utils}/bin/mkfs.erofs --quiet --tar=f -L nix-store -T 0 "$TMPDIR/store.img"
    ''}
    ${optionalString cfg.useHostCerts ''
      mkdir -p "$TMPDIR/certs"
      [ ! -e "''${NIX_SSL_CERT_FILE-}" ] || cp -L "$NIX_SSL_CERT_FILE" "$TMPDIR/certs/ca-certificates.crt"
    ''}
    cd "$TMPDIR"
    ${concatMapStrings (index: ''
      [ -e empty${toString index}.qcow2 ] || ${image} create -q -f qcow2 empty${toString index}.qcow2 ${
        let
          disk = lib.elemAt cfg.emptyDiskImages index;
        in
        toString (disk.size or disk)
      }M
    '') (imap0 (index: _disk: index) cfg.emptyDiskImages)}

    arguments=(
      -name ${name}
      -m ${toString cfg.memorySize}
      -smp ${toString cfg.cores}
      -device virtio-rng-pci
    ${concatMapStrings line (
      cfg.qemu.networkingOptions
      ++ mapAttrsToList folder folders
      ++ imap1 drive cfg.qemu.drives
      ++ cfg.qemu.options
    )}
    )
    exec ${cfg.qemu.package}/bin/qemu-system-x86_64 -machine accel=kvm:tcg -cpu max "''${arguments[@]}" $QEMU_OPTS "$@"
  '';
}

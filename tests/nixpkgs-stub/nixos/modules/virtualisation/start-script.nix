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

  # A disk with the system, from which a boot loader starts it.
  systemImage = import ../../lib/make-disk-image.nix {
    inherit config lib pkgs;
    additionalPaths = [ regInfo ];
    partitionTableType =
      if !cfg.useDefaultFilesystems then
        "none"
      else if cfg.useEFIBoot then
        "efi"
      else if cfg.useBIOSBoot or false then
        "legacy+boot"
      else
        "legacy";
    inherit (cfg) installBootLoader;
    inherit (cfg.efi) OVMF;
    touchEFIVars = cfg.useEFIBoot;
    size = if builtins.isInt cfg.diskSize then cfg.diskSize else null;
  };

  # A program beside QEMU, which keeps what it knows in a folder. It is started as a daemon, and stays until somebody tells it to
  # stop: that is a process which waits for the end of a pipe that QEMU has inherited.
  tpm = ''
    NIX_SWTPM_DIR=$(readlink -f "''${NIX_SWTPM_DIR:-${name}-swtpm}")
    mkdir -p "$NIX_SWTPM_DIR"
    ${lib.getExe cfg.tpm.package} socket --tpm2 --daemon --flags not-need-init \
      --tpmstate dir="$NIX_SWTPM_DIR" \
      --server type=unixio,path="$NIX_SWTPM_DIR/socket" \
      --ctrl type=unixio,path="$NIX_SWTPM_DIR/socket.ctrl" \
      --pid file="$NIX_SWTPM_DIR/pid" \
      --log file="$NIX_SWTPM_DIR/stdout,level=6"
    (
      export PATH=${lib.makeBinPath [ pkgs.tpm2-tools ]}:$PATH
      export TPM2TOOLS_TCTI=swtpm:path="$NIX_SWTPM_DIR/socket"
      tpm2_startup --clear
      ${optionalString (cfg.tpm.provisioning or null != null) ''
        (
          export TCTI=$TPM2TOOLS_TCTI
          ${cfg.tpm.provisioning}
        )
      ''}
      tpm2_shutdown --clear
    )
    exec {swtpm}> >(
      read -r _ || true
      exec ${cfg.tpm.package}/bin/swtpm_ioctl --unix "$NIX_SWTPM_DIR/socket.ctrl" --stop > /dev/null 2>&1
    )
  '';

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
          if cfg.useBootLoader && cfg.useDefaultFilesystems then
            # What is written lies above the disk that was built.
            ''${image} create -q -f qcow2 -b ${systemImage}/nixos.qcow2 -F qcow2 "$NIX_DISK_IMAGE"''
          else if cfg.useDefaultFilesystems then
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
      [ -e "$NIX_EFI_VARS" ] || install -m 0644 ${
        if cfg.efi.keepVariables then "${systemImage}/efi-vars.fd" else cfg.efi.variables
      } "$NIX_EFI_VARS"
    ''}
    ${optionalString cfg.tpm.enable tpm}

    # Others lie in a folder of their own, but for those who want them in theirs.
    if [ -z "''${TMPDIR-}" ] || [ -z "''${USE_TMPDIR-}" ]; then
      TMPDIR=$(mktemp -d)
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

# The options of a virtual machine, with what follows of them for the guest and for the program that starts it.
#
# The toolbox's kernel has no 9p. So the store is an image where it would be the host's, and other folders of the host are there for
# QEMU alone.
{
  config,
  lib,
  options,
  pkgs,
  ...
}:
let
  inherit (lib)
    mkIf
    mkOption
    mkVMOverride
    optional
    types
    ;
  since = lib.versionAtLeast lib.trivial.release;
  cfg = config.virtualisation;
  hostPkgs = cfg.host.pkgs;

  switch = default: description: mkOption {
    type = types.bool;
    inherit default description;
  };
  inherit (import ./qemu-types.nix { inherit lib pkgs; })
    credential
    drive
    emptyDisk
    forward
    sharedDirectory
    ;

  serial = (import ../../lib/qemu-common.nix { inherit lib pkgs; }).qemuSerialDevice;
  consoles =
    let
      both = [
        "${serial},115200n8"
        "tty0"
      ];
    in
    if cfg.graphics then both else lib.reverseList both;

  # Of the host's port or address, as QEMU's user network is told.
  forwardWord =
    {
      from,
      proto,
      host,
      guest,
    }:
    if from == "host" then
      "hostfwd=${proto}:${host.address}:${toString host.port}-${guest.address}:${toString guest.port},"
    else
      "guestfwd=${proto}:${guest.address}:${toString guest.port}-cmd:${hostPkgs.netcat}/bin/nc ${host.address} ${toString host.port},";

  hasStoreImage = cfg.useNixStoreImage || cfg.mountHostNixStore;

  shared = lib.mapAttrs' (tag: share: {
    name = share.target;
    value = {
      device = tag;
      fsType = "9p";
      neededForBoot = true;
      options = [
        "trans=virtio"
        "version=9p2000.L"
        "msize=${toString cfg.msize}"
      ];
    };
  }) (removeAttrs cfg.sharedDirectories [ "nix-store" ]);

  inherit (import ./start-script.nix { inherit config lib; }) regInfo script;
  inherit (config.system.build) toplevel;

  # A name as that of a variable.
  variable = lib.strings.stringAsChars (
    character: if builtins.match "[A-Za-z0-9]" character == null then "_" else character
  );
in
{
  imports = [
    ../profiles/qemu-guest.nix
    ./boot-options.nix
    ./guest-networking-options.nix
    (lib.mkRenamedOptionModule
      [
        "virtualisation"
        "pathsInNixDB"
      ]
      [
        "virtualisation"
        "additionalPaths"
      ]
    )
  ]
  ++ optional (since "25.05") ./disk-size-option.nix;

  options.virtualisation = {
    inherit (options) fileSystems;
    memorySize = mkOption {
      type = types.ints.positive;
      default = 1024;
      description = "Memory in MiB.";
    };
    msize = mkOption {
      type = types.ints.positive;
      default = 16384;
      description = "Size of 9p's messages.";
    };
    cores = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "Number of processors.";
    };
    diskImage = mkOption {
      type = types.nullOr types.str;
      default = "./${config.system.name}.qcow2";
      defaultText = "the system's name";
      description = "File of the disk; null: the root lies in memory.";
    };
    rootDevice = mkOption {
      type = types.nullOr types.path;
      default = "/dev/disk/by-label/nixos";
      description = "The device of the root.";
    };
    emptyDiskImages = mkOption {
      type = types.listOf (
        if since "26.05" then
          types.coercedTo types.ints.positive (size: { inherit size; }) emptyDisk
        else
          types.ints.positive
      );
      default = [ ];
      description = "Empty disks, by their size in MiB.";
    };
    graphics = switch true "Whether there is a screen.";
    resolution = mkOption {
      type = types.attrs;
      default = {
        x = 1024;
        y = 768;
      };
      description = "Size of the screen.";
    };
    sharedDirectories = mkOption {
      type = types.attrsOf sharedDirectory;
      default = { };
      description = "Folders of the host by name.";
    };
    additionalPaths = mkOption {
      type = types.listOf types.path;
      default = [ ];
      description = "Store paths that the machine's Nix knows.";
    };
    forwardPorts = mkOption {
      type = types.listOf forward;
      default = [ ];
      description = "Ports of the host that lead to the machine, or the other way round.";
    };
    restrictNetwork = switch false "Whether the machine sees nothing of the host's network.";
    writableStore = switch cfg.mountHostNixStore "Whether the store can be written to.";
    writableStoreUseTmpfs = switch true "Whether what is written lies in memory.";
    useNixStoreImage = switch false "Whether the store is an image of the machine's own closure.";
    mountHostNixStore = switch (!cfg.useNixStoreImage && !cfg.useBootLoader) "Whether the store is the host's.";
    host.pkgs = mkOption {
      type = types.pkgs;
      default = pkgs;
      defaultText = "pkgs";
      description = "Packages of the host.";
    };
    qemu = {
      package = mkOption {
        type = types.package;
        default = hostPkgs.qemu_kvm;
        defaultText = "QEMU of the host";
        description = "QEMU.";
      };
      options = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "Words of QEMU's command line, as a shell would write them.";
      };
      consoles = mkOption {
        type = types.listOf types.str;
        default = consoles;
        defaultText = "serial line and screen";
        description = "Consoles of the kernel; the last one is the init's.";
      };
      networkingOptions = mkOption {
        type = types.listOf types.str;
        default = [ ];
        description = "The user network.";
      };
      drives = mkOption {
        type = types.listOf drive;
        default = [ ];
        description = "Drives.";
      };
      diskInterface = mkOption {
        type = types.enum [
          "virtio"
          "scsi"
          "ide"
        ];
        default = "virtio";
        description = "How drives are attached.";
      };
      guestAgent.enable = switch true "Whether QEMU's guest agent runs.";
      virtioKeyboard = switch true "Whether there is a keyboard.";
    }
    // lib.optionalAttrs (since "26.05") {
      forceAccel = switch false "Whether it may not be emulated.";
      enableSharedMemory = switch false "Whether others see the machine's memory.";
    };
    useDefaultFilesystems = switch true "Whether the usual file systems are mounted.";
    useHostCerts = switch false "Whether the host's certificates are the machine's.";
  }
  // lib.optionalAttrs (!since "25.05") {
    diskSize = mkOption {
      type = types.nullOr types.ints.positive;
      default = 1024;
      description = "Size of the disk in MiB.";
    };
  }
  // lib.optionalAttrs (since "26.05") {
    nixStore9pCache = mkOption {
      type = types.enum [
        "loose"
        "none"
        "fscache"
      ];
      default = "loose";
      description = "What 9p remembers of the store.";
    };
    credentials = mkOption {
      type = types.attrsOf credential;
      default = { };
      description = "Credentials for systemd.";
    };
  };

  config = {
    assertions =
      lib.imap0 (index: one: {
        assertion = one.from == "guest" -> (one.proto == "tcp" && lib.hasPrefix "10.0.2." one.guest.address);
        message = "virtualisation.forwardPorts, entry ${toString index}: from the guest there is TCP only, and an address in 10.0.2.0/24.";
      }) cfg.forwardPorts
      ++ [
        {
          assertion = options.virtualisation.directBoot.initrd.highestPrio < 1500 -> cfg.directBoot.enable;
          message = "virtualisation.directBoot.initrd is of no use without virtualisation.directBoot.enable.";
        }
        {
          assertion = cfg.installBootLoader -> config.system.switch.enable;
          message = "A boot loader is installed by switching: system.switch.enable must be true.";
        }
      ];

    virtualisation = {
      additionalPaths = [ config.system.build.toplevel ];

      sharedDirectories = {
        nix-store = mkIf cfg.mountHostNixStore {
          source = builtins.storeDir;
          target = "/nix/.ro-store";
          securityModel = "none";
        };
        xchg = {
          source = ''"$TMPDIR"/xchg'';
          target = "/tmp/xchg";
          securityModel = "none";
        };
        shared = {
          source = ''"''${SHARED_DIR:-$TMPDIR/xchg}"'';
          target = "/tmp/shared";
          securityModel = "none";
        };
        certs = mkIf cfg.useHostCerts {
          source = ''"$TMPDIR"/certs'';
          target = "/etc/ssl/certs";
          securityModel = "none";
        };
      };

      qemu = {
        networkingOptions = [
          "-net nic,netdev=user.0,model=virtio"
          ''-netdev user,id=user.0,${lib.concatMapStrings forwardWord cfg.forwardPorts}${lib.optionalString cfg.restrictNetwork "restrict=on,"}"$QEMU_NET_OPTS"''
        ];
        options = lib.mkMerge [
          (mkIf cfg.qemu.virtioKeyboard [ "-device virtio-keyboard" ])
          (mkIf pkgs.stdenv.hostPlatform.isx86 [
            "-usb"
            "-device usb-tablet,bus=usb-bus.0"
          ])
          (mkIf cfg.directBoot.enable [
            "-kernel \${NIXPKGS_QEMU_KERNEL_${variable config.system.name}:-${toplevel}/kernel}"
            "-initrd ${cfg.directBoot.initrd}"
            ''-append "$(cat ${toplevel}/kernel-params) init=${toplevel}/init regInfo=${regInfo}/registration ${
              lib.concatMapStringsSep " " (console: "console=${console}") cfg.qemu.consoles
            } $QEMU_KERNEL_PARAMS"''
          ])
          (mkIf cfg.useEFIBoot [
            "-drive if=pflash,format=raw,unit=0,readonly=on,file=${cfg.efi.firmware}"
            "-drive if=pflash,format=raw,unit=1,readonly=off,file=$NIX_EFI_VARS"
          ])
          (mkIf (!cfg.graphics) [ "-nographic" ])
          (mkIf cfg.tpm.enable [
            "-chardev socket,id=chrtpm,path=\"$NIX_SWTPM_DIR\"/socket.ctrl"
            "-tpmdev emulator,id=tpm_dev_0,chardev=chrtpm"
            "-device ${cfg.tpm.deviceModel},tpmdev=tpm_dev_0"
          ])
          (mkIf (pkgs.stdenv.hostPlatform.isx86 && (cfg.efi.OVMF.systemManagementModeRequired or false)) [
            "-machine q35,smm=on"
            "-global driver=cfi.pflash01,property=secure,value=on"
          ])
          (mkIf (cfg.bios != null) [ "-bios ${cfg.bios}/bios.bin" ])
        ];
        drives = lib.mkMerge [
          (mkIf (cfg.diskImage != null) [
            {
              name = "root";
              file = ''"$NIX_DISK_IMAGE"'';
              driveExtraOpts = {
                cache = "writeback";
                werror = "report";
              };
              deviceExtraOpts = {
                bootindex = "1";
                serial = "root";
              };
            }
          ])
          (mkIf hasStoreImage [
            {
              name = "nix-store";
              file = ''"$TMPDIR"/store.img'';
              driveExtraOpts.format = "raw";
              deviceExtraOpts.bootindex = "2";
            }
          ])
          (lib.imap0 (
            index: disk:
            lib.mkMerge [
              (disk.driveConfig or { })
              {
                file = "$(pwd)/empty${toString index}.qcow2";
                driveExtraOpts.werror = lib.mkDefault "report";
              }
            ]
          ) cfg.emptyDiskImages)
        ];
      };

      fileSystems = lib.mkMerge [
        shared
        (mkIf cfg.useDefaultFilesystems {
          "/" =
            if cfg.diskImage == null then
              {
                device = "tmpfs";
                fsType = "tmpfs";
              }
            else
              {
                device = cfg.rootDevice;
                fsType = "ext4";
              };
        })
        {
          "/tmp" = mkIf config.boot.tmp.useTmpfs {
            device = "tmpfs";
            fsType = "tmpfs";
            neededForBoot = true;
          };
          "/nix/store" = mkIf hasStoreImage (
            if cfg.writableStore then
              {
                overlay = {
                  lowerdir = [ "/nix/.ro-store" ];
                  upperdir = "/nix/.rw-store/upper";
                  workdir = "/nix/.rw-store/work";
                };
              }
            else
              {
                device = "/nix/.ro-store";
                options = [ "bind" ];
                fsType = "none";
              }
          );
          "/nix/.ro-store" = mkIf hasStoreImage {
            device = "/dev/disk/by-label/nix-store";
            fsType = "erofs";
            neededForBoot = true;
            options = [ "ro" ];
          };
          "/nix/.rw-store" = mkIf (cfg.writableStore && cfg.writableStoreUseTmpfs) {
            fsType = "tmpfs";
            options = [ "mode=0755" ];
            neededForBoot = true;
          };
          "${config.boot.loader.efi.efiSysMountPoint}" = mkIf (cfg.useBootLoader && cfg.bootPartition != null) {
            device = cfg.bootPartition;
            fsType = "vfat";
          };
        }
      ];
    }
    // lib.optionalAttrs (since "25.05") {
      diskSizeAutoSupported = false;
    };

    # The machine of a test has the file systems of the test, and none of its configuration.
    fileSystems = mkIf (cfg.fileSystems != { }) (mkVMOverride cfg.fileSystems);
    swapDevices = mkIf cfg.useDefaultFilesystems (mkVMOverride [ ]);
    boot.initrd.luks.devices = mkIf cfg.useDefaultFilesystems (mkVMOverride { });
    boot.loader.grub.device = mkVMOverride (if cfg.useEFIBoot then "nodev" else cfg.bootLoaderDevice);
    boot.initrd.availableKernelModules = mkIf cfg.tpm.enable [ "tpm_tis" ];

    # The guest's Nix knows what is in its store. Here, and not in the system, is what that is: the system is part of it.
    boot.postBootCommands = mkIf config.nix.enable ''
      if [[ "$(cat /proc/cmdline)" =~ regInfo=([^ ]*) ]]; then
        ${config.nix.package}/bin/nix-store --load-db < ''${BASH_REMATCH[1]}
      fi
    '';

    networking.usePredictableInterfaceNames = false;
    networking.dhcpcd.extraConfig = "noarp";
    services.timesyncd.enable = false;
    services.qemuGuest.enable = cfg.qemu.guestAgent.enable;
    security.pki.installCACerts = mkIf cfg.useHostCerts false;
    system.requiredKernelConfig = map config.lib.kernelConfig.isEnabled [
      "VIRTIO_BLK"
      "VIRTIO_PCI"
      "VIRTIO_NET"
    ];

    system.build.vm = hostPkgs.runCommand "nixos-vm" {
      preferLocalBuild = true;
      meta.mainProgram = "run-${config.system.name}-vm";
    } ''
      mkdir -p $out/bin
      ln -s ${toplevel} $out/system
      ln -s ${script} $out/bin/run-${config.system.name}-vm
    '';
  };
}

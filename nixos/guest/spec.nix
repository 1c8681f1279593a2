# The machine spec of a node: each option of nixpkgs' VMs is mapped here, or does what it does inside the node, or is refused.
# docs: nixos/options.md.
{
  config,
  lib,
  options,
  node,
  nixos,
}:
let
  inherit (lib)
    concatMap
    fixedWidthString
    imap1
    mapAttrs
    toHexString
    toLower
    ;

  cfg = config.virtualisation;
  opts = options.virtualisation;

  definitions = import ./definitions.nix { inherit lib nixos; };
  words = import ./words.nix { inherit lib; };

  isGiven = option: definitions.of option != [ ];

  refuse = option: reason: throw "vmTest: nodes.${node}: option `${option}`: ${reason}";

  bootsDirectly = "machines of vmtest boot directly, without firmware and boot loader, so far";

  # Switches that are all for a boot loader; each release has some of them.
  bootLoaders =
    map
      (name: {
        option = "virtualisation.${name}";
        found = cfg.${name} or false;
        reason = bootsDirectly;
      })
      [
        "useBootLoader"
        "installBootLoader"
        "useBIOSBoot"
        "useEFIBoot"
        "useSecureBoot"
      ];

  refusals = bootLoaders ++ [
    {
      option = "virtualisation.bios";
      found = cfg.bios != null;
      reason = bootsDirectly;
    }
    {
      option = "virtualisation.directBoot.enable";
      found = !cfg.directBoot.enable;
      reason = bootsDirectly;
    }
    {
      option = "virtualisation.directBoot.initrd";
      # Not by its definitions: among them is the default, and there is no initrd that it could name.
      found = opts.directBoot.initrd.highestPrio < (lib.mkOptionDefault null).priority;
      reason = "machines of vmtest have an initrd of its own";
    }
    {
      option = "virtualisation.useDefaultFilesystems";
      found = !cfg.useDefaultFilesystems;
      reason = "the root of machines of vmtest is the store image below a writable layer";
    }
    {
      option = "virtualisation.rootDevice";
      found = isGiven opts.rootDevice;
      reason = "the root of machines of vmtest is the store image below a writable layer";
    }
    {
      option = "virtualisation.tpm.enable";
      found = cfg.tpm.enable;
      reason = "machines of vmtest have no TPM, so far";
    }
    {
      option = "virtualisation.qemu.drives";
      found = isGiven opts.qemu.drives;
      reason = "use `virtualisation.emptyDiskImages` or `vmtest.qemuOptions`";
    }
    {
      option = "virtualisation.qemu.diskInterface";
      found = cfg.qemu.diskInterface != "virtio";
      reason = "disks of machines of vmtest are virtio disks";
    }
    {
      option = "virtualisation.qemu.networkingOptions";
      found = isGiven opts.qemu.networkingOptions && cfg.qemu.networkingOptions != [ ];
      reason = "use `virtualisation.forwardPorts` or `vmtest.qemuOptions`; `[ ]` is for a machine without the user network";
    }
    {
      option = "virtualisation.useHostCerts";
      found = cfg.useHostCerts or false;
      reason = "the sandbox has no certificates of the host's";
    }
    {
      option = "virtualisation.credentials";
      found = cfg.credentials or { } != { };
      reason = "not supported yet; use `vmtest.qemuOptions` (`-smbios type=11,value=io.systemd.credential:NAME=TEXT`)";
    }
    {
      option = "testing.initrdBackdoor";
      found = config.testing.initrdBackdoor or false;
      reason = "machines of vmtest have no initrd of NixOS's, so far";
    }
    {
      option = "system.nixos-init.enable";
      found = config.system.nixos-init.enable or false;
      reason = "its program runs in an initrd of NixOS's, which machines of vmtest do not have, so far";
    }
    {
      option = "system.etc.overlay.enable";
      found = config.system.etc.overlay.enable or false;
      reason = "it is mounted in an initrd of NixOS's, which machines of vmtest do not have, so far";
    }
  ];

  # The whole of them is looked at, and the first is reported.
  checked =
    value:
    builtins.foldl' (
      value:
      {
        option,
        found,
        reason,
      }:
      if found then refuse option reason else value
    ) value refusals;

  hexByte = number: fixedWidthString 2 "0" (toLower (toHexString number));

  interfaces =
    if cfg ? allInterfaces then
      builtins.attrValues cfg.allInterfaces
    else
      imap1 (index: vlan: {
        name = "eth${toString index}";
        inherit vlan;
      }) cfg.vlans
      ++ lib.mapAttrsToList (name: interface: {
        inherit name;
        inherit (interface) vlan;
      }) cfg.interfaces;

  forward =
    {
      from,
      proto,
      host,
      guest,
    }:
    if from == "guest" then
      refuse "virtualisation.forwardPorts" "ports of the machine (`from = \"guest\"`) cannot lead to the host, so far"
    else
      {
        protocol = proto;
        host = { inherit (host) address port; };
        guest = { inherit (guest) address port; };
      };

  # Bare numbers, or with what else QEMU is to make of the disk.
  disk =
    image:
    if builtins.isInt image then
      { sizeMiB = image; }
    else
      let
        drive = image.driveConfig or { };
        known = builtins.removeAttrs (drive.deviceExtraOpts or { }) [ "serial" ];
      in
      if known != { } || drive.driveExtraOpts or { } != { } then
        refuse "virtualisation.emptyDiskImages" "of a disk's extra options only `deviceExtraOpts.serial` is known"
      else
        {
          sizeMiB = image.size;
          serial = drive.deviceExtraOpts.serial or null;
        };

  # Those that upstream's start script has of its own.
  folders = removeAttrs cfg.sharedDirectories [
    "nix-store"
    "xchg"
    "shared"
    "certs"
  ];

  folder =
    name:
    { source, target, ... }:
    if builtins.match "/[^$`\"'*?\\ ]*" source == null then
      refuse "virtualisation.sharedDirectories.${name}.source" "`${source}` is for a shell, which vmtest does not start: give an absolute path"
    else
      {
        inherit source;
        target = toString target;
      };

  inherit (config.system.build) toplevel;
in
checked {
  kernel = {
    image = "${config.boot.kernelPackages.kernel}/${config.system.boot.loader.kernelFile}";
    modules = "${config.system.modulesTree}/lib/modules";
  };
  kernelParams =
    config.boot.kernelParams
    ++ [
      "init=${toplevel}/init"
      # Stage 2, or a unit of the node's, hands it to the node's Nix.
      "regInfo=/nix/.registration"
    ]
    ++ map (console: "console=${console}") cfg.qemu.consoles;
  root = {
    layers = [ ];
    persistentDisk =
      if cfg.diskImage == null then
        null
      else
        { sizeMiB = if builtins.isInt cfg.diskSize then cfg.diskSize else 1024; };
  };
  init = "${toplevel}/init";
  closure = lib.unique ([ toplevel ] ++ cfg.additionalPaths);
  memory = cfg.memorySize;
  inherit (cfg) cores;
  disks = map disk cfg.emptyDiskImages;
  sharedDirectories = mapAttrs folder folders;
  networkSetup = "names";
  interfaces = map (
    { name, vlan, ... }:
    {
      inherit name vlan;
      mac = "52:54:00:12:${hexByte vlan}:${hexByte cfg.test.nodeNumber}";
    }
  ) interfaces;
  userNetwork =
    if cfg.qemu.networkingOptions == [ ] then
      null
    else
      {
        restrict = cfg.restrictNetwork;
        forwards = map forward cfg.forwardPorts;
      };
  qemuOptions =
    concatMap (definition: concatMap (words (refuse "virtualisation.qemu.options")) definition.value) (
      definitions.of opts.qemu.options
    )
    ++ config.vmtest.qemuOptions;
  inherit (config.vmtest) bootTimeout;
}

# The machine spec of a node: each option of nixpkgs' VMs is mapped here, or does what it does inside the node, or is a reason to boot
# in another way (needs.nix).
# docs: nixos/options.md.
{
  config,
  lib,
  options,
  pkgs,
  node,
  definitions,
}:
let
  inherit (lib)
    concatMap
    fixedWidthString
    imap1
    mapAttrs
    optionalAttrs
    optionals
    toHexString
    toLower
    ;

  cfg = config.virtualisation;

  words = import ./words.nix;

  inherit (config.vmtest) boot needs;

  # What the node asks for and does not get.
  unmet = {
    direct = config.vmtest.bootReasons;
    initrd = needs.script;
    script = [ ];
  };

  checked =
    spec:
    if unmet.${boot} == [ ] then
      spec
    else
      throw (
        "vmTest: nodes.${node}: options that have no effect with `vmtest.boot = \"${boot}\"` "
        + "(leave that away, or set it to \"${if needs.script == [ ] then "initrd" else "script"}\"):"
        + definitions.list options unmet.${boot}
      );

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
      proto,
      host,
      guest,
      ...
    }:
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
      {
        sizeMiB = image.size;
        serial = image.driveConfig.deviceExtraOpts.serial or null;
      };

  inherit (config.system.build) toplevel;

  # What nixpkgs puts on the bus of this name, by a controller that takes no time while nothing happens.
  usb = [
    "-device"
    "qemu-xhci,id=usb-bus"
    "-device"
    "usb-tablet,bus=usb-bus.0"
  ];

  common = {
    memory = cfg.memorySize;
    inherit (cfg) cores;
    inherit (config.vmtest) bootTimeout;
  };

  startScript = common // {
    startScript = "${config.system.build.vm}/bin/run-${config.system.name}-vm";
    # Each has a socket, whatever the order.
    vlans = lib.unique (map (interface: interface.vlan) interfaces);
    inherit (config.vmtest) qemuOptions;
  };

  planned =
    common
    // {
      kernel = {
        image = "${config.boot.kernelPackages.kernel}/${config.system.boot.loader.kernelFile}";
        modules = "${config.system.modulesTree}/lib/modules";
      };
      kernelParams =
        config.boot.kernelParams
        ++ [
          "init=${toplevel}/init"
          # Stage 2, or a unit of the node's, hands it to the node's Nix.
          "regInfo=/nix/.ro-store/.registration"
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
      disks = map disk cfg.emptyDiskImages;
      sharedDirectories = mapAttrs (_: folder: {
        inherit (folder) source;
        target = toString folder.target;
      }) (removeAttrs cfg.sharedDirectories words.ownFolders);
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
        optionals pkgs.stdenv.hostPlatform.isx86 usb
        ++ builtins.filter (word: word != "-enable-kvm") (
          concatMap (definition: concatMap words.of definition.value) (
            definitions.of options.virtualisation.qemu.options
          )
        )
        ++ config.vmtest.qemuOptions;
    }
    // optionalAttrs (boot == "direct") { networkSetup = "names"; }
    // optionalAttrs (boot == "initrd") {
      networkSetup = "guest";
      initrd = cfg.directBoot.initrd;
    };
in
checked (if boot == "script" then startScript else planned)

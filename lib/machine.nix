# The machine spec: what a user says of one machine, and its defaults.
{ types }:
let
  inherit (types)
    attrsOf
    boolean
    integer
    listOf
    oneOf
    nullOr
    record
    storePath
    string
    tagged
    ;

  absolutePath = string {
    pattern = "/.*";
    description = "an absolute path as a string";
  };

  size = integer {
    min = 1;
    max = 16777216;
    description = "an integer (MiB)";
  };

  disk = record {
    /**
      Size in MiB.
    */
    sizeMiB.type = size;
    /**
      Serial number, by which `/dev/disk/by-id/virtio-<serial>` names it; `disk0`, `disk1`, … by default.
    */
    serial = {
      type = nullOr (string {
        pattern = "[A-Za-z0-9_.-]{1,20}";
        description = "a serial number of at most 20 letters, digits, `_`, `.` and `-`";
      });
      default = null;
    };
  };

  kernel =
    path: value:
    # A derivation is an attribute set, too.
    if builtins.isAttrs value && !value ? outPath then
      record {
        /**
          The kernel's image: a bzImage on x86_64, an Image on aarch64.
        */
        image.type = storePath;
        /**
          The folder with one folder of modules, which is named as the kernel's version.
        */
        modules.type = storePath;
      } path value
    else
      let
        directory = storePath path value;
      in
      {
        image = "${directory}/vmlinuz";
        modules = "${directory}/lib/modules";
      };

  layers = listOf (tagged {
    /**
      An uncompressed tar archive: owners, modes and devices are kept.
    */
    archive = storePath;
    /**
      A folder: everything belongs to root, executable bits are kept.
    */
    tree = storePath;
  });

  root = record {
    /**
      Layers of the root file system, merged in order: a later one overrides. A machine with a `closure` can do without.
    */
    layers = {
      type = layers;
      default = [ ];
    };

    /**
      A disk that keeps what the machine writes over reboots. Without it, writes go to memory.
    */
    persistentDisk = {
      type = nullOr (record {
        /**
          Size in MiB.
        */
        sizeMiB.type = size;
      });
      default = null;
    };
  };

  sharedDirectories = attrsOf (record {
    /**
      The folder: in the Nix store, or an absolute path of the host as a string, which the build must be able to see
      (`sandbox-paths`).
    */
    source.type =
      path: value:
      if builtins.isString value && builtins.match "${builtins.storeDir}/.*" value == null then
        absolutePath path value
      else
        storePath path value;
    /**
      Where the machine sees it.
    */
    target.type = absolutePath;
    /**
      Whether the machine may not write to it.
    */
    readOnly = {
      type = boolean;
      default = false;
    };
  });

  vlans =
    path: value:
    let
      numbers = listOf (integer {
        min = 1;
        max = 254;
        description = "an integer (number of a VLAN)";
      }) path value;
      occurrences = number: builtins.length (builtins.filter (other: other == number) numbers);
      twice = builtins.filter (number: occurrences number > 1) numbers;
    in
    if twice == [ ] then
      numbers
    else
      types.fail path "VLAN ${toString (builtins.head twice)} is there more than once";

  interface = record {
    /**
      The interface's name in the machine.
    */
    name.type =
      let
        # As Linux has it, which takes a `%` for a pattern.
        some = "[^/:%[:space:]]";
        other = "[^/:%.[:space:]]";
      in
      string {
        pattern = "${other}${some}{0,14}|[.]${other}${some}{0,13}|[.][.]${some}{1,13}";
        description = "the name of an interface (1 to 15 bytes, without `/`, `:`, `%` and white space, and not `.` or `..`)";
      };
    /**
      The VLAN that it is plugged into.
    */
    vlan.type = integer {
      min = 0;
      max = 65535;
      description = "an integer (number of a VLAN)";
    };
    /**
      MAC address.
    */
    mac.type = string {
      pattern = "([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}";
      description = "six pairs of hexadecimal digits with colons";
    };
    /**
      Addresses with prefix length, which the agent gives to it.
    */
    addresses = {
      type = listOf (string { });
      default = [ ];
    };
  };

  endpoint = record {
    /**
      An IPv4 address; empty for any.
    */
    address = {
      type = string { };
      default = "";
    };
    /**
      Port.
    */
    port.type = integer {
      min = 1;
      max = 65535;
      description = "an integer (port)";
    };
  };

  userNetwork = record {
    /**
      Whether the machine reaches neither the host nor anything beyond it.
    */
    restrict = {
      type = boolean;
      default = false;
    };
    /**
      Ports of the host that lead to ports of the machine: `{ protocol ? "tcp"; host; guest; }`, both
      `{ address ? ""; port; }`.
    */
    forwards = {
      type = listOf (record {
        protocol = {
          type = oneOf [
            "tcp"
            "udp"
          ];
          default = "tcp";
        };
        host.type = endpoint;
        guest.type = endpoint;
      });
      default = [ ];
    };
  };

  # A root of nothing is a mistake; it is seen when the machine's root is.
  withRoot =
    type: path: value:
    let
      spec = type path value;
    in
    spec
    // {
      root =
        if spec.root.layers == [ ] && spec.closure == [ ] then
          types.fail path "the machine's root is empty: it has neither `root.layers` nor a `closure`"
        else if spec.root.layers != [ ] && spec.initrd != null then
          types.fail "${path}.root.layers" "a machine with an `initrd` of its own has no layers: the initrd mounts its root"
        else
          spec.root;
    };

  memory = {
    type = integer {
      min = 16;
      max = 16777216;
      description = "an integer (MiB)";
    };
    default = 1024;
  };

  cores = {
    type = integer {
      min = 1;
      max = 255;
      description = "an integer (number of CPUs)";
    };
    default = 1;
  };

  bootTimeout = {
    type = integer {
      min = 1;
      max = 86400;
      description = "an integer (seconds)";
    };
    default = 60;
  };

  startScript = record {
    /**
      A program that becomes QEMU with the arguments that it is given appended, as NixOS start scripts do
      (`run-<name>-vm`). It decides what the machine has. A root shell on the machine's `/dev/hvc0` takes the agent in.
    */
    startScript.type = storePath;

    /**
      VLANs whose sockets it finds in `QEMU_VDE_SOCKET_<number>` (`-netdev vde,sock=…`).
    */
    vlans = {
      type = vlans;
      default = [ ];
    };

    /**
      Arguments of QEMU, appended to those that the runner needs.
    */
    qemuOptions = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      Memory in MiB and virtual CPUs that the machine has, for schedulers.
    */
    inherit memory cores;

    /**
      As for other machines.
    */
    inherit bootTimeout;
  };

  planned = withRoot (record {
    /**
      The kernel: a folder with `vmlinuz` and `lib/modules/<version>`, or `{ image; modules; }`.
    */
    kernel.type = kernel;

    /**
      Whether the kernel is unpacked before the machine starts (x86_64): under emulation it is up most of a second sooner. A
      kernel that unpacks itself is the same, but lies at a random address (KASLR).
    */
    unpackKernel = {
      type = boolean;
      default = true;
    };

    /**
      Parameters appended to the kernel's command line, where they win over those of the runner: `console=ttyS0 panic=-1`,
      where the agent names the interfaces (`networkSetup` is `agent` or `names`) `net.ifnames=0`, and under emulation
      `no_timer_check` and `cryptomgr.notests` (the kernel does not test its own ciphers, unless there is a parameter `fips=…`).
    */
    kernelParams = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      An initrd of the machine's own, as a file: it mounts the root in place of the agent, which follows. It finds the store in
      the root of a read-only disk with the label `nix-store` and, with `root.persistentDisk`, an empty one with the label
      `nixos`. It says what its init is, and the machine sets up its network itself.
    */
    initrd = {
      type = nullOr storePath;
      default = null;
    };

    /**
      The root file system: `{ layers; persistentDisk ? null; }`.
    */
    root = {
      type = root;
      default = {
        layers = [ ];
        persistentDisk = null;
      };
    };

    /**
      The guest's own init, as an absolute path in its root.
    */
    init = {
      type = absolutePath;
      default = "/sbin/init";
    };

    /**
      Memory in MiB.
    */
    inherit memory;

    /**
      Number of virtual CPUs.
    */
    inherit cores;

    /**
      Empty disks, in order, each `{ sizeMiB; serial ? null; }`.
    */
    disks = {
      type = listOf disk;
      default = [ ];
    };

    /**
      Folders of the host that the machine sees, by name: `{ source; target; readOnly ? false; }`. In the machine everything
      in them belongs to root; on the host, what the machine makes belongs to the user that the test runs as.
    */
    sharedDirectories = {
      type = sharedDirectories;
      default = { };
    };

    /**
      VLANs that the machine is on, as `eth1`, `eth2`, … in this order; `eth0` is QEMU's user network.
    */
    vlans = {
      type = vlans;
      default = [ 1 ];
    };

    /**
      Interfaces in place of those that follow from `vlans`, for machines that number themselves.
    */
    interfaces = {
      type = nullOr (listOf interface);
      default = null;
    };

    /**
      QEMU's user network, on which the machine is `eth0`: `{ restrict ? false; forwards ? [ ]; }`. Null for a machine without.
    */
    userNetwork = {
      type = nullOr userNetwork;
      default = {
        restrict = false;
        forwards = [ ];
      };
    };

    /**
      Who gives the interfaces their addresses and the machine its name: the `agent`, before the guest's init runs, or
      the `guest`'s own configuration. With `names` the agent names the interfaces, and the guest does the rest.
    */
    networkSetup = {
      type = oneOf [
        "agent"
        "names"
        "guest"
      ];
      default = "agent";
    };

    /**
      Store paths that the machine sees in its `/nix/store`, with all that they refer to.
    */
    closure = {
      type = listOf storePath;
      default = [ ];
    };

    /**
      Arguments appended to QEMU's command line.
    */
    qemuOptions = {
      type = listOf (string { });
      default = [ ];
    };

    /**
      Seconds that the machine may take to boot before whoever waits for it is told so; five times as many under
      emulation.
    */
    inherit bootTimeout;
  });
in
path: value:
if builtins.isAttrs value && value ? startScript then
  startScript path value
else
  planned path value

//! One machine, as plain data.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One machine of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// How the machine comes from power-on to its own init.
    pub boot: Boot,
    /// The kernel and its modules.
    pub kernel: Kernel,
    /// Parameters appended to the kernel's command line, after the runner's own.
    pub kernel_params: Vec<String>,
    /// What the root file system holds, and whether it survives a reboot.
    pub root: Root,
    /// Key in [`Attributes`](crate::Attributes) of the store paths that the machine sees in its `/nix/store`; none when
    /// it sees no store. Beside them lies `/nix/.registration`, which tells the machine's own Nix of them:
    /// `nix-store --load-db < /nix/.registration`.
    pub closure: Option<String>,
    /// The guest's own init, as an absolute path in its root; with an initrd of its own, that says what its init is.
    pub init: String,
    /// Memory in MiB.
    pub memory: u32,
    /// Number of virtual CPUs.
    pub cores: u16,
    /// Empty disks, in order.
    pub disks: Vec<Disk>,
    /// Folders of the host that the machine sees.
    pub shared_directories: Vec<SharedDirectory>,
    /// Network interfaces and what the agent sets up of them.
    pub network: Network,
    /// Arguments appended to QEMU's command line.
    pub qemu_options: Vec<String>,
    /// Seconds that the machine may take to boot before whoever waits for it is told so; five times as many under
    /// emulation.
    pub boot_timeout: u64,
}

/// How a machine comes from power-on to its own init.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Boot {
    /// The runner's own initrd: the agent mounts the root and hands over to the guest's init.
    Direct,
    /// This initrd of the guest's own, which mounts the root. It finds the store paths of the closure in the root of a
    /// read-only disk (EROFS) with the label `nix-store`, where beside them lies `.registration`, and, if the root is kept,
    /// an empty disk (ext4) with the label `nixos`. There are no layers.
    Initrd(PathBuf),
}

/// A machine that a program of the host's starts, as a NixOS start script (`run-<name>-vm`) does. The program becomes QEMU with
/// the arguments that it is given appended; a root shell on the first virtio console takes the agent in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartScript {
    /// The program.
    pub program: PathBuf,
    /// The VLANs whose sockets (vde) it finds in `QEMU_VDE_SOCKET_<number>`.
    pub vlans: Vec<u16>,
    /// Arguments of QEMU, appended to the program's and the runner's.
    pub qemu_options: Vec<String>,
    /// Seconds that the machine may take to boot before whoever waits for it is told so; five times as many under
    /// emulation.
    pub boot_timeout: u64,
}

/// A kernel and its modules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kernel {
    /// The kernel image: a bzImage on x86_64, an Image on aarch64.
    pub image: PathBuf,
    /// The folder `lib/modules`, in which there is one folder, named as the kernel's version, with `modules.dep`.
    pub modules: PathBuf,
    /// Whether a bzImage is unpacked before the machine starts; else it unpacks itself, and lies at a random address where it
    /// is built to (KASLR).
    pub unpack: bool,
}

/// A machine's root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Root {
    /// Layers, merged in order into one read-only image: a later one overrides. There may be none if the machine has a
    /// closure.
    pub layers: Vec<Layer>,
    /// A disk that takes what the machine writes and keeps it over reboots; without one, writes go to memory.
    pub persistent: Option<PersistentDisk>,
}

/// One layer of a root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Layer {
    /// An uncompressed tar archive: owners, modes and devices are kept.
    Archive(PathBuf),
    /// A folder: everything belongs to root, executable bits are kept.
    Tree(PathBuf),
}

/// The disk that keeps what a machine writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PersistentDisk {
    /// Size in MiB.
    pub size: u32,
}

/// An empty disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disk {
    /// Size in MiB.
    pub size: u32,
    /// Serial number, by which the machine's `/dev/disk/by-id/virtio-<serial>` names it.
    pub serial: String,
}

/// A folder of the host that a machine sees, by virtio-fs. In the machine everything in it belongs to root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedDirectory {
    /// Name of the virtio-fs device, one to a folder.
    pub tag: String,
    /// The folder on the host.
    pub source: PathBuf,
    /// Where the machine sees it, as an absolute path in its root.
    pub target: String,
    /// Whether the machine may not write to it.
    pub read_only: bool,
}

/// A machine's network interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Network {
    /// Who gives the interfaces their names and addresses and the machine its name.
    pub setup: NetworkSetup,
    /// QEMU's user network, on which the machine is `eth0`; without it there is no such card.
    pub user: Option<UserNetwork>,
    /// The machine's host name.
    pub host_name: String,
    /// Interfaces on the test's VLANs, in the order of their cards: `eth1`, `eth2`, …
    pub interfaces: Vec<Interface>,
    /// The lines of `/etc/hosts` beside those of localhost.
    pub hosts: Vec<HostEntry>,
}

/// Who sets up a machine's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkSetup {
    /// The agent, before it hands over to the guest's init: for guests that know nothing of the test.
    Agent,
    /// The agent gives the interfaces their names, and the guest's own configuration does the rest, as on NixOS.
    Names,
    /// The guest's own configuration.
    Guest,
}

/// QEMU's user network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserNetwork {
    /// Whether the machine reaches neither the host nor anything beyond it.
    pub restrict: bool,
    /// Ports of the host that lead to ports of the machine.
    pub forwards: Vec<Forward>,
}

/// A port of the host that leads to a port of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forward {
    /// Protocol.
    pub protocol: Protocol,
    /// On the host; an empty address stands for all of its addresses.
    pub host: Endpoint,
    /// On the machine; an empty address stands for the one that it has on the user network.
    pub guest: Endpoint,
}

/// A protocol with ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// An address and a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Endpoint {
    /// IPv4 address, or empty.
    pub address: String,
    /// Port.
    pub port: u16,
}

/// An interface on one of the test's VLANs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Interface {
    /// The name that the guest gives to it, such as `eth1`.
    pub name: String,
    /// The VLAN that it is plugged into.
    pub vlan: u16,
    /// MAC address, six pairs of hexadecimal digits with colons.
    pub mac: String,
    /// Addresses with prefix length, IPv4 and IPv6.
    pub addresses: Vec<String>,
}

/// One line of `/etc/hosts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostEntry {
    /// An IPv4 or IPv6 address.
    pub address: String,
    /// The names that resolve to it.
    pub names: Vec<String>,
}

//! What the runner puts into the initrd for the agent.

use serde::{Deserialize, Serialize};

/// Where the agent finds its [`BootConfig`] in the initrd: one frame, without a preamble.
pub const CONFIG_PATH: &str = "/vmtest/boot";

/// Where the kernel modules lie in the initrd.
pub const MODULES_DIR: &str = "/vmtest/modules";

/// Where a root image and the layer above it can be seen after the hand-over, should one look for them; a tmpfs.
pub const MOUNTS_DIR: &str = "/run/vmtest";

/// Serial number of the virtio disk with the read-only root image.
pub const ROOT_IMAGE_SERIAL: &str = "vmtest-root";

/// Serial number of the virtio disk (ext4) that keeps what the guest writes: that of the root in NixOS's virtual machines.
pub const PERSISTENT_SERIAL: &str = "root";

/// How the agent's note begins when it cannot boot the guest; the machine powers off after it.
pub const FAILURE: &str = "cannot boot the guest: ";

/// Where the agent lies in an initrd of the guest's own; there the kernel starts it (`rdinit`).
pub const AGENT_PATH: &str = "/vmtest/agent";

/// The init of such an initrd, to which the agent hands over.
pub const INITRD_INIT: &str = "/init";

/// What the agent does as the first process, before it hands over to the guest's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BootConfig {
    /// It mounts the root.
    Direct(Direct),
    /// An initrd of the guest's own does.
    Initrd(Initrd),
}

/// What the agent does in an initrd of the guest's own: it waits in the background until the guest's root is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initrd {
    /// Kernel modules for the channel and for the shared folders, in the order in which they are loaded.
    pub modules: Vec<Module>,
    /// Folders of the host to mount in the guest's root.
    pub shares: Vec<Share>,
}

/// What a read-only image holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Image {
    /// The root, below a writable layer.
    Root,
    /// The store, below a writable layer of its own; the root is empty at first.
    Store,
}

/// What the agent does where it is the whole of the initrd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Direct {
    /// Kernel modules for the channel and the root, in the order in which they are loaded.
    pub modules: Vec<Module>,
    /// Kernel modules that are loaded once the agent answers, in this order.
    pub late_modules: Vec<Module>,
    /// What the image on the disk [`ROOT_IMAGE_SERIAL`] is.
    pub image: Image,
    /// Whether the disk [`PERSISTENT_SERIAL`] takes what the guest writes; else a tmpfs does.
    pub persistent: bool,
    /// Folders of the host to mount in the guest's root.
    pub shares: Vec<Share>,
    /// The guest's own init, absolute path in its root.
    pub init: String,
    /// The interfaces to give names to; none leaves that to the guest.
    pub interfaces: Option<Vec<Interface>>,
    /// What else to set up of the network; none leaves it to the guest, and interfaces have no addresses.
    pub names: Option<Names>,
}

/// A kernel module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Module {
    /// File name below [`MODULES_DIR`]; nothing is compressed.
    pub file: String,
    /// Whether the guest cannot be booted without it; others only make something faster, where the processor has what
    /// they need.
    pub required: bool,
}

/// A folder of the host (virtio-fs).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Name of the device.
    pub tag: String,
    /// Where to mount it, absolute path in the guest's root; without white space and backslashes.
    pub target: String,
    /// Whether the guest does not write to it.
    pub read_only: bool,
}

/// The names of a guest that does not configure its network itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The guest's host name, also written to `/etc/hostname`.
    pub host_name: String,
    /// What `/etc/hosts` holds: localhost, and the machines of the test.
    pub hosts_file: String,
}

/// One interface, told from the others by its MAC address. One that is not listed is on the user network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// MAC address.
    pub mac: [u8; 6],
    /// The name to give to it.
    pub name: String,
    /// Addresses with prefix length, if the guest does not configure its network itself.
    pub addresses: Vec<(std::net::IpAddr, u8)>,
}

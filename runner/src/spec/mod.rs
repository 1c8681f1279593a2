//! What is to be run, checked: the manifest after all of its rules.
//!
//! Everything that can be said against a manifest is said here, at once, before anything is built or started. Each
//! complaint names the place: `nodes.server.memory`.

mod address;
mod check;
mod names;
mod patterns;
mod registration;
mod share;

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use vmtest_image::tree::Layer;
use vmtest_manifest::{Acceleration, Attributes, Boot, Disk, Snapshot, Tools, UserNetwork};

pub use vmtest_protocol::boot::Image;

pub use address::{Mac, Subnet};
pub use patterns::Patterns;
pub use share::Share;

/// A test that can be run.
#[derive(Debug, Clone)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// The Python source.
    pub script: String,
    /// How long it may take altogether.
    pub timeout: Duration,
    /// Whether the machines need KVM.
    pub acceleration: Acceleration,
    /// Whether there is a folder that all machines and the script see.
    pub shared_dir: bool,
    /// Whether a command ends only when nobody holds its outputs any more, unless it says otherwise.
    pub wait_for_output: bool,
    /// Whether the log shows consoles and journals from the beginning.
    pub serial_stdout: bool,
    /// Where the script finds more modules.
    pub python_path: Vec<PathBuf>,
    /// How its scripts are checked before anything is built.
    pub check: ScriptCheck,
    /// Whether the machines are saved, or go on from where they were.
    pub snapshot: Option<Snapshot>,
    /// Whether the script goes on after a subtest that has failed.
    pub keep_going: bool,
    /// What lines fail the test.
    pub patterns: Patterns,
    /// The programs that are started.
    pub tools: Tools,
    /// The machines, by name in ascending order.
    pub machines: Vec<Machine>,
    /// The machines that are started by programs of theirs, likewise.
    pub start_scripts: Vec<StartScript>,
}

/// How scripts are checked.
#[derive(Debug, Clone, Default)]
pub struct ScriptCheck {
    /// Whether types are not looked at.
    pub skip_types: bool,
    /// Whether nothing but syntax and types is looked at.
    pub skip_lint: bool,
    /// Names of rules that are not followed.
    pub ignored: Vec<String>,
}

/// A machine that is started by a program of its own.
#[derive(Debug, Clone)]
pub struct StartScript {
    /// Its name in the manifest.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// The VLANs that it is on.
    pub vlans: Vec<u16>,
    /// Arguments for QEMU.
    pub qemu_options: Vec<String>,
    /// How long it may take to boot before whoever waits for it is told so, on hardware virtualisation.
    pub boot_timeout: Duration,
}

/// A machine that can be built and booted.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Its name in the manifest.
    pub name: String,
    /// How it comes from power-on to its own init.
    pub boot: Boot,
    /// The kernel image.
    pub kernel: PathBuf,
    /// Whether the kernel is unpacked before the machine starts.
    pub unpack_kernel: bool,
    /// The folder of the kernel's modules, `lib/modules/<version>`.
    pub modules: PathBuf,
    /// Kernel parameters of the manifest.
    pub kernel_params: Vec<String>,
    /// What its read-only image is.
    pub image: Image,
    /// What the image is made of.
    pub layers: Vec<Layer>,
    /// Size in MiB of the disk that keeps what it writes, if it has one.
    pub persistent: Option<u32>,
    /// Its own init.
    pub init: String,
    /// Memory in MiB.
    pub memory: u32,
    /// Virtual CPUs.
    pub cores: u16,
    /// Its empty disks.
    pub disks: Vec<Disk>,
    /// Folders of the host that it sees.
    pub shares: Vec<Share>,
    /// Interfaces on the VLANs.
    pub interfaces: Vec<Interface>,
    /// QEMU's user network, if the machine is on it.
    pub user_network: Option<UserNetwork>,
    /// What the agent does for the network.
    pub network: Network,
    /// Arguments for QEMU.
    pub qemu_options: Vec<String>,
    /// How long it may take to boot before whoever waits for it is told so, on hardware virtualisation.
    pub boot_timeout: Duration,
}

/// A network card on a VLAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interface {
    /// Its name in the guest.
    pub name: String,
    /// The VLAN.
    pub vlan: u16,
    /// Its MAC address.
    pub mac: Mac,
    /// Its addresses.
    pub addresses: Vec<Subnet>,
}

/// What the agent does for the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Nothing.
    Guest,
    /// It gives the interfaces their names.
    Names,
    /// It gives everything a name and an address.
    Agent {
        /// The host name.
        host_name: String,
        /// Addresses and the names that resolve to them.
        hosts: Vec<(IpAddr, Vec<String>)>,
    },
}

impl Test {
    /// Checks a manifest and what it points to.
    ///
    /// # Errors
    /// All complaints at once.
    pub fn resolve(attributes: &Attributes) -> Result<Self, Complaints> {
        check::resolve(attributes)
    }

    /// Has every machine see `folder`, the one that the script has as `shared_dir`.
    pub fn share(&mut self, folder: &Path) {
        for machine in &mut self.machines {
            machine.shares.push(Share::common(folder));
        }
    }

    /// The script that brings the machines to where they are or were saved, if it is a second one.
    #[must_use]
    pub fn prepare(&self) -> Option<&str> {
        match &self.snapshot {
            Some(Snapshot::Restore(restore)) => restore.prepare.as_deref(),
            Some(Snapshot::Boot(boot)) => Some(&boot.prepare),
            Some(Snapshot::Save(_)) | None => None,
        }
    }

    /// The VLANs of all machines, ascending.
    #[must_use]
    pub fn vlans(&self) -> Vec<u16> {
        let vlans: BTreeSet<u16> = self
            .machines
            .iter()
            .flat_map(|machine| &machine.interfaces)
            .map(|interface| interface.vlan)
            .chain(
                self.start_scripts
                    .iter()
                    .flat_map(|script| script.vlans.clone()),
            )
            .collect();
        vlans.into_iter().collect()
    }
}

/// Everything that is wrong with a manifest.
#[derive(Debug, Error)]
pub struct Complaints(Vec<Complaint>);

/// One thing that is wrong with a manifest.
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    /// Where, such as `nodes.server.memory`.
    pub place: String,
    /// What.
    pub text: String,
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the manifest cannot be run:")?;
        self.0
            .iter()
            .try_for_each(|complaint| write!(f, "\n  {}: {}", complaint.place, complaint.text))
    }
}

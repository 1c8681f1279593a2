//! The launch plan of a machine: QEMU's command line as pure data.
//!
//! What a plan holds depends on the machine's specification alone, not on the test: the order of devices, their names
//! and the numbers of the descriptors stay the same, so that a saved machine can be restored elsewhere.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use vmtest_manifest::{self as manifest, Protocol, UserNetwork};
use vmtest_protocol::PORT_NAME;
use vmtest_protocol::boot::{AGENT_PATH, PERSISTENT_SERIAL, ROOT_IMAGE_SERIAL};
use vmtest_share::QUEUE_SIZE;

use crate::spec::{Mac, Machine, Network};
use crate::vm::accel::Accelerator;
use crate::vm::architecture::Architecture;
use crate::vm::environment::Additions;
use crate::vm::qmp::AGENT_PORT;

/// Descriptor of the guest's serial console in QEMU, a stream socket.
pub const CONSOLE_FD: i32 = 3;
/// Descriptor of QEMU's control channel (QMP), a stream socket.
pub const QMP_FD: i32 = 4;
/// Descriptor of the agent's virtio-serial port, a stream socket.
pub const AGENT_FD: i32 = 5;
/// Descriptor of the machine's memory, a file: the servers of shared folders map it, and a snapshot copies it.
pub const MEMORY_FD: i32 = 6;
/// Descriptor of the first interface's frames, a datagram socket; the others follow, and after them the connections to
/// the servers of shared folders (vhost-user), stream sockets.
pub const FIRST_VLAN_FD: i32 = 7;

/// QEMU's name for the cable of the interface of this index on a VLAN. What the guest calls the interface is its own affair:
/// there may be a comma in it.
#[must_use]
pub fn vlan_card(index: usize) -> String {
    format!("vlan{index}")
}

/// MAC address of the card on QEMU's user network, QEMU's own default.
pub const USER_MAC: Mac = Mac([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);

/// A machine's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What it boots from.
    pub boot: Boot,
    /// What it writes to.
    pub disks: Disks,
}

/// The files that a machine boots from; they do not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The kernel.
    pub kernel: PathBuf,
    /// The initrd with the agent, and with the guest's own behind it if it has one.
    pub initrd: PathBuf,
    /// The read-only image of the root, or of the store.
    pub root: PathBuf,
}

/// The files of a machine's own disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disks {
    /// The disk that keeps what the machine writes, if it has one.
    pub persistent: Option<PathBuf>,
    /// The machine's empty disks.
    pub empty: Vec<PathBuf>,
}

impl Disks {
    /// Those of a machine in a folder of its own.
    #[must_use]
    pub fn of(machine: &Machine, folder: &Path) -> Self {
        let persistent = machine.persistent.map(|_| folder.join("persistent.img"));
        let empty = (0..machine.disks.len()).map(|index| folder.join(format!("disk{index}.img")));
        Self {
            persistent,
            empty: empty.collect(),
        }
    }

    /// All of them, in the order of the devices.
    pub fn all(&self) -> impl Iterator<Item = &Path> {
        self.persistent
            .iter()
            .chain(&self.empty)
            .map(PathBuf::as_path)
    }
}

/// What executes a machine's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processor {
    /// Of the machine, with the board that it is on.
    pub architecture: Architecture,
    /// How.
    pub accelerator: Accelerator,
}

impl Processor {
    /// That of this runner's machines.
    #[must_use]
    pub fn own(accelerator: Accelerator) -> Self {
        Self {
            architecture: Architecture::OWN,
            accelerator,
        }
    }
}

/// How a machine is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode {
    /// Without it, QEMU ends where the guest would start anew.
    pub allow_reboot: bool,
    /// QEMU waits to be told to go on.
    pub paused: bool,
    /// The same, after it was told of the state to go on from.
    pub restore: bool,
}

/// QEMU's command line for one start of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Arguments after the program's name.
    pub arguments: Vec<OsString>,
}

impl Plan {
    /// Plans a start, with additions from outside.
    #[must_use]
    pub fn new(
        machine: &Machine,
        additions: &Additions,
        files: &Files,
        processor: Processor,
        mode: Mode,
    ) -> Self {
        let mut plan = Self {
            arguments: Vec::new(),
        };
        plan.base(machine, additions, processor);
        plan.boot(machine, additions, &files.boot, processor);
        plan.channels();
        plan.disks(machine, &files.disks);
        plan.networks(machine, additions);
        plan.shares(machine);
        if !mode.allow_reboot {
            plan.add(["-no-reboot"]);
        }
        plan.add(&machine.qemu_options);
        plan.add(&additions.options);
        // The agent finds it by its serial number. Scripts know disks by their letters, which it must not move.
        plan.disk("image", &files.boot.root, ROOT_IMAGE_SERIAL, true);
        if mode.paused || mode.restore {
            plan.add(["-S"]);
        }
        if mode.restore {
            plan.add(["-incoming", "defer"]);
        }
        plan
    }

    fn add<T: Into<OsString>>(&mut self, arguments: impl IntoIterator<Item = T>) {
        self.arguments.extend(arguments.into_iter().map(Into::into));
    }

    fn base(&mut self, machine: &Machine, additions: &Additions, processor: Processor) {
        self.add([
            "-name",
            &machine.name,
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
        ]);
        let Processor {
            architecture,
            accelerator,
        } = processor;
        let accel = match accelerator {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg => "tcg,thread=multi",
        };
        let board = format!("{},memory-backend=memory", architecture.board());
        let cpu = architecture.processor(accelerator);
        self.add(["-machine", &board, "-accel", accel, "-cpu", cpu]);
        let memory = format!("{}M", memory(machine, additions));
        self.add([
            "-object".to_owned(),
            format!(
                "memory-backend-file,id=memory,size={memory},mem-path=/proc/self/fd/{MEMORY_FD},share=on"
            ),
        ]);
        self.add([
            "-smp".to_owned(),
            machine.cores.to_string(),
            "-m".to_owned(),
            memory,
        ]);
        self.add(architecture.screen());
        self.add(["-device", "virtio-rng-pci"]);
    }

    fn boot(
        &mut self,
        machine: &Machine,
        additions: &Additions,
        boot: &Boot,
        processor: Processor,
    ) {
        self.add([OsString::from("-kernel"), boot.kernel.clone().into()]);
        self.add([OsString::from("-initrd"), boot.initrd.clone().into()]);
        self.add([
            "-append".to_owned(),
            kernel_command_line(machine, additions, processor),
        ]);
    }

    fn channels(&mut self) {
        self.add([
            "-chardev".to_owned(),
            format!("socket,id=console,fd={CONSOLE_FD}"),
        ]);
        self.add(["-serial", "chardev:console"]);
        self.add(["-chardev".to_owned(), format!("socket,id=qmp,fd={QMP_FD}")]);
        self.add(["-mon", "chardev=qmp,mode=control"]);
        self.add([
            "-chardev".to_owned(),
            format!("socket,id=agent,fd={AGENT_FD}"),
        ]);
        self.add(["-device", "virtio-serial-pci"]);
        self.add([
            "-device".to_owned(),
            format!("virtserialport,id={AGENT_PORT},chardev=agent,name={PORT_NAME}"),
        ]);
    }

    fn disks(&mut self, machine: &Machine, files: &Disks) {
        if let Some(persistent) = &files.persistent {
            self.disk("persistent", persistent, PERSISTENT_SERIAL, false);
        }
        for (index, (file, disk)) in files.empty.iter().zip(&machine.disks).enumerate() {
            self.disk(&format!("disk{index}"), file, &disk.serial, false);
        }
    }

    /// Nothing that a test writes outlives the test: flushes to the host's disk would only cost time.
    fn disk(&mut self, id: &str, file: &Path, serial: &str, read_only: bool) {
        let access = if read_only {
            "read-only=on"
        } else {
            "cache.no-flush=on"
        };
        let mut backend = OsString::from(format!("driver=file,node-name={id},{access},filename="));
        backend.push(escape(file));
        self.add([OsString::from("-blockdev"), backend]);
        self.add([
            "-device".to_owned(),
            format!("virtio-blk-pci,drive={id},serial={serial}"),
        ]);
    }

    /// `eth0` is QEMU's user network, `eth1` and so on are the test's.
    fn networks(&mut self, machine: &Machine, additions: &Additions) {
        if let Some(user) = &machine.user_network {
            self.add(["-netdev".to_owned(), user_netdev(user, additions)]);
            self.card("user", USER_MAC);
        }
        for (fd, (index, interface)) in (FIRST_VLAN_FD..).zip(machine.interfaces.iter().enumerate())
        {
            let id = vlan_card(index);
            self.add([
                "-netdev".to_owned(),
                format!("dgram,id={id},local.type=fd,local.str={fd}"),
            ]);
            self.card(&id, interface.mac);
        }
    }

    /// Their servers read and write the machine's memory.
    fn shares(&mut self, machine: &Machine) {
        let descriptors = (FIRST_VLAN_FD..).skip(machine.interfaces.len());
        for ((index, share), fd) in machine.shares.iter().enumerate().zip(descriptors) {
            let (id, tag) = (format!("share{index}"), &share.tag);
            self.add(["-chardev".to_owned(), format!("socket,id={id},fd={fd}")]);
            self.add([
                "-device".to_owned(),
                format!("vhost-user-fs-pci,chardev={id},tag={tag},queue-size={QUEUE_SIZE}"),
            ]);
        }
    }

    /// Without an option ROM: no machine boots from these cards.
    fn card(&mut self, netdev: &str, mac: Mac) {
        self.add([
            "-device".to_owned(),
            format!("virtio-net-pci,netdev={netdev},mac={mac},romfile="),
        ]);
    }
}

/// The machine's memory in MiB. Arguments for QEMU can say otherwise than the machine's own option (`-m 2048`), and what
/// backs the memory has to have the size that they say.
#[must_use]
pub fn memory(machine: &Machine, additions: &Additions) -> u32 {
    let options: Vec<&str> = (machine.qemu_options.iter().chain(&additions.options))
        .map(String::as_str)
        .collect();
    let last = options.windows(2).rfind(|pair| pair[0] == "-m");
    let given = last.and_then(|pair| {
        let size = pair[1].split(',').next()?;
        let size = size.strip_prefix("size=").unwrap_or(size);
        let digits = size.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
        let unit = match &size[digits.len()..] {
            "" | "M" | "m" => 1,
            "G" | "g" => 1024,
            _ => return None,
        };
        digits.parse::<u32>().ok()?.checked_mul(unit)
    });
    given.unwrap_or(machine.memory)
}

fn user_netdev(network: &UserNetwork, additions: &Additions) -> String {
    let mut options = vec!["user,id=user".to_owned()];
    if network.restrict {
        options.push("restrict=on".to_owned());
    }
    options.extend(network.forwards.iter().map(|forward| {
        let protocol = match forward.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let (host, guest) = (&forward.host, &forward.guest);
        format!(
            "hostfwd={protocol}:{}:{}-{}:{}",
            host.address, host.port, guest.address, guest.port
        )
    }));
    if !additions.user_network.is_empty() {
        options.push(additions.user_network.clone());
    }
    options.join(",")
}

fn kernel_command_line(machine: &Machine, additions: &Additions, processor: Processor) -> String {
    let Processor {
        architecture,
        accelerator,
    } = processor;
    let console = format!("console={}", architecture.console());
    // `panic=-1`: a machine that panics ends at once, and does not wait to be looked at.
    let mut parameters = vec![console.as_str(), "panic=-1"];
    let agent = format!("rdinit={AGENT_PATH}");
    if let manifest::Boot::Initrd(_) = machine.boot {
        parameters.push(&agent);
    }
    if accelerator == Accelerator::Tcg {
        parameters.extend(architecture.emulated_kernel());
        // The kernel's tests of its own ciphers are a tenth of a second, and say nothing about the guest. A FIPS guest needs them.
        let fips = |parameter: &String| parameter.starts_with("fips=");
        if !machine.kernel_params.iter().any(fips) {
            parameters.push("cryptomgr.notests");
        }
    }
    if machine.network != Network::Guest {
        // The guest's udev leaves the names that the agent has given.
        parameters.push("net.ifnames=0");
    }
    let given = machine.kernel_params.iter();
    parameters.extend(
        given
            .chain(&additions.kernel_parameters)
            .map(String::as_str),
    );
    parameters.join(" ")
}

/// In a list of options QEMU takes two commas for one.
pub(super) fn escape(path: &Path) -> OsString {
    match path.to_str() {
        Some(text) => text.replace(',', ",,").into(),
        None => path.into(),
    }
}

#[cfg(test)]
mod tests;

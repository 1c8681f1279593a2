//! What becomes a machine's QEMU.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use crate::snapshot::{SaveError, Saved};
use crate::spec::{Interface, Machine};
use crate::vm::accel::Accelerator;
use crate::vm::environment::Additions;
use crate::vm::plan::{self, Boot, Disks, Files, Mode, Plan, Processor};
use crate::vm::process::{Channels, LaunchError, Qemu, Supplies};
use crate::vm::start_command::StartCommand;

/// What becomes a machine's QEMU.
#[derive(Debug)]
pub enum Launch {
    /// A command line of the runner's own.
    Planned(Box<Planned>),
    /// A command of the host's shell, to which the runner appends.
    Command(StartCommand),
}

/// How a machine is started.
#[derive(Debug, Clone, Copy, Default)]
pub struct How<'a> {
    /// Without it, QEMU ends where the guest would start anew.
    pub allow_reboot: bool,
    /// QEMU waits to be told to go on; not for a machine that a command starts.
    pub paused: bool,
    /// QEMU waits to be told of the devices of this state, and then to be told to go on: memory and disks are as they were.
    pub restore: Option<&'a Arc<Saved>>,
}

/// A machine that the runner knows all of.
#[derive(Debug)]
pub struct Planned {
    /// `qemu-system-…`.
    pub qemu: PathBuf,
    /// What executes its instructions.
    pub accelerator: Accelerator,
    /// The machine.
    pub machine: Machine,
    /// What it boots from.
    pub files: Files,
    /// A folder of its own, for what exists only while it starts.
    pub scratch: PathBuf,
    /// Who copies its disks and its state.
    pub copies: Copies,
}

/// Whoever copies a machine's disks or its state, from where it was saved or to there: one at a time, and nobody starts the
/// machine meanwhile. A thread goes on copying when nobody waits for it any more, since the machine was given up.
#[derive(Debug, Clone, Default)]
pub struct Copies(Arc<Mutex<()>>);

/// The files of a machine are the owner's. A thread that copies has it.
pub type Copying = OwnedMutexGuard<()>;

impl Copies {
    /// Waits until nobody copies.
    pub async fn begin(&self) -> Copying {
        Arc::clone(&self.0).lock_owned().await
    }
}

impl Launch {
    /// The machine's interfaces on VLANs, in the order of [`Channels::vlans`].
    #[must_use]
    pub fn interfaces(&self) -> &[Interface] {
        match self {
            Self::Planned(planned) => &planned.machine.interfaces,
            Self::Command(_) => &[],
        }
    }

    /// Starts QEMU. What it says itself goes to `log`, what a start command makes into `state_dir`. `tell` is told what comes
    /// from elsewhere than the test.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(
        &self,
        state_dir: &Path,
        how: &How<'_>,
        log: &Path,
        tell: impl Fn(String),
    ) -> Result<(Qemu, Channels), LaunchError> {
        match self {
            Self::Planned(planned) => planned.start(how, log, tell).await,
            Self::Command(command) => command.start(state_dir, how.allow_reboot, log).await,
        }
    }
}

impl Planned {
    async fn start(
        &self,
        how: &How<'_>,
        log: &Path,
        tell: impl Fn(String),
    ) -> Result<(Qemu, Channels), LaunchError> {
        let machine = &self.machine;
        let additions = Additions::from(|name| std::env::var(name).ok());
        let told = additions.told(machine.user_network.is_some());
        told.into_iter().for_each(tell);
        let mode = Mode {
            allow_reboot: how.allow_reboot,
            paused: how.paused,
            restore: how.restore.is_some(),
        };
        let plan = Plan::new(
            machine,
            &additions,
            &self.files,
            Processor::own(self.accelerator),
            mode,
        );
        tracing::debug!(machine = machine.name, ?plan, "starting QEMU");
        let memory = guest_memory(plan::memory(machine, &additions));
        let memory = memory.map_err(LaunchError::Channels)?;
        let copying = self.copies.begin().await;
        let restoring = match how.restore {
            Some(saved) => Some(self.restore(saved, &memory, copying).await?),
            None => None,
        };
        let shares = machine.shares.iter();
        let shares = shares
            .map(|share| vmtest_share::serve(&share.source, share.read_only, &self.scratch))
            .collect::<Result<_, _>>()?;
        let supplies = Supplies {
            memory,
            vlans: machine.interfaces.len(),
            shares,
        };
        let started = Qemu::launch(&self.qemu, &plan, supplies, log)?;
        if let Some(restoring) = restoring {
            joined(restoring.await)?;
        }
        Ok(started)
    }

    /// Brings the files of a saved machine back. QEMU looks at the disks when it starts, and at the memory only when it is
    /// told to go on: that is filled meanwhile, in the task that is returned.
    async fn restore(
        &self,
        saved: &Arc<Saved>,
        memory: &File,
        copying: Copying,
    ) -> Result<JoinHandle<Result<(), SaveError>>, LaunchError> {
        let (files, disks) = (Arc::clone(saved), self.files.disks.clone());
        let restore = move || files.restore_disks(&disks).map(|()| copying);
        let copying = joined(spawn_blocking(restore).await)?;
        let memory = memory.try_clone().map_err(LaunchError::Channels)?;
        let (files, device) = (Arc::clone(saved), self.device_state());
        Ok(spawn_blocking(move || {
            let _copying = copying;
            files.restore_devices(&device)?;
            files.restore_memory(&memory)
        }))
    }

    /// Where the state of the devices lies, for QEMU to read it.
    #[must_use]
    pub fn device_state(&self) -> PathBuf {
        self.scratch.join("device-state")
    }
}

/// What has to be the same where a machine is saved and where it goes on: QEMU's command line, but for the places of files.
#[must_use]
pub fn layout(machine: &Machine, accelerator: Accelerator) -> Vec<String> {
    let additions = Additions::from(|name| std::env::var(name).ok());
    let files = Files {
        boot: Boot {
            kernel: "kernel".into(),
            initrd: "initrd".into(),
            root: "root".into(),
        },
        disks: Disks::of(machine, Path::new("")),
    };
    let plan = Plan::new(
        machine,
        &additions,
        &files,
        Processor::own(accelerator),
        Mode::default(),
    );
    let words = plan.arguments.iter().map(|word| word.to_string_lossy());
    words.map(std::borrow::Cow::into_owned).collect()
}

/// A task that only panics where it has a bug.
fn joined<T>(result: Result<Result<T, SaveError>, JoinError>) -> Result<T, LaunchError> {
    match result {
        Ok(result) => Ok(result?),
        Err(error) => Err(LaunchError::Channels(io::Error::other(error))),
    }
}

/// Memory of a guest, in MiB: a file without a name.
fn guest_memory(size: u32) -> io::Result<File> {
    let file = File::from(memfd_create("guest memory", MemfdFlags::CLOEXEC)?);
    file.set_len(u64::from(size) << 20)?;
    Ok(file)
}

//! What becomes a machine's QEMU.

use std::path::{Path, PathBuf};

use crate::spec::{Interface, Machine};
use crate::vm::accel::Accelerator;
use crate::vm::environment::Additions;
use crate::vm::plan::{Files, Plan};
use crate::vm::process::{Channels, LaunchError, Qemu};
use crate::vm::start_command::StartCommand;

/// What becomes a machine's QEMU.
#[derive(Debug)]
pub enum Launch {
    /// A command line of the runner's own.
    Planned(Box<Planned>),
    /// A command of the host's shell, to which the runner appends.
    Command(StartCommand),
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

    /// Starts QEMU; without `allow_reboot` it ends where the guest would start anew. What it says itself goes to `log`,
    /// what a start command makes into `state_dir`. `tell` is told what comes from elsewhere than the test.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(
        &self,
        state_dir: &Path,
        allow_reboot: bool,
        log: &Path,
        tell: impl Fn(String),
    ) -> Result<(Qemu, Channels), LaunchError> {
        match self {
            Self::Planned(planned) => planned.start(allow_reboot, log, tell),
            Self::Command(command) => command.start(state_dir, allow_reboot, log).await,
        }
    }
}

impl Planned {
    fn start(
        &self,
        allow_reboot: bool,
        log: &Path,
        tell: impl Fn(String),
    ) -> Result<(Qemu, Channels), LaunchError> {
        let machine = &self.machine;
        let additions = Additions::from(|name| std::env::var(name).ok());
        additions.told().into_iter().for_each(tell);
        let plan = Plan::new(
            machine,
            &additions,
            &self.files,
            self.accelerator,
            allow_reboot,
        );
        tracing::debug!(machine = machine.name, ?plan, "starting QEMU");
        let shares = machine.shares.iter();
        let shares = shares
            .map(|share| vmtest_share::serve(&share.source, share.read_only, &self.scratch))
            .collect::<Result<_, _>>()?;
        Qemu::launch(&self.qemu, &plan, machine.interfaces.len(), shares, log)
    }
}

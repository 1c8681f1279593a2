//! How a handle has a machine saved, and go on from where it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use vmtest_manifest::Fresh;
use vmtest_script::backend::{ExitStatus, MachineErrorKind as Failure, Start};
use vmtest_switch::Switch;

use super::agent::Hold;
use super::command::ending;
use super::fresh;
use super::handle::{Handle, unavailable};
use super::lifecycle::{End, State};
use super::record::Forward;
use super::task::{Order, Status};
use crate::event::Event;
use crate::provision::renew_disks;
use crate::snapshot::{Saved, save};
use crate::vm::launch::Launch;

/// How long an agent may take to read what was sent to it, by hardware virtualisation.
const HOLDING_TIME: Duration = Duration::from_secs(30);

/// How long a guest may take to make anew what it has for itself, by hardware virtualisation: keys are drawn.
const FRESHENING_TIME: Duration = Duration::from_secs(30);

/// The state that a machine is in when it is started for the first time.
#[derive(Debug, Clone)]
pub struct Initial {
    /// The state.
    pub saved: Arc<Saved>,
    /// What becomes of a machine that cannot go on from there.
    pub otherwise: Otherwise,
    /// What is made anew before anybody sees the machine.
    pub fresh: Vec<Fresh>,
}

/// What becomes of a machine that cannot go on from a state.
#[derive(Debug, Clone)]
pub enum Otherwise {
    /// That is an error, at every start.
    Fail,
    /// It boots, from disks that are made anew; log and report say why.
    Boot {
        /// The program that formats disks.
        mke2fs: PathBuf,
    },
}

impl Handle {
    /// Has the first start go on from a state.
    pub async fn set_initial(&self, initial: Initial) {
        *self.initial.lock().await = Some(initial);
    }

    /// Starts the machine for the first time: it goes on from the state, or boots if it cannot and may; else it is off.
    pub(super) async fn start_from(&self, initial: &Initial, start: Start) -> Result<(), Failure> {
        let Err(failure) = self.go_on_from(initial, start.allow_reboot).await else {
            return Ok(());
        };
        let Otherwise::Boot { mke2fs } = &initial.otherwise else {
            // It may wait, or run as nobody is to see it.
            self.end().await?;
            return Err(failure);
        };
        let (name, events) = (self.name(), &self.setup.events);
        events.warn(format!(
            "{name}: it boots, since it cannot go on: {failure}"
        ));
        events.emit(Event::Unrestored {
            machine: Some(name.to_owned()),
            reason: failure.to_string(),
        });
        let is_off = |state: &State| !state.is_running();
        self.stop(Order::Discard, is_off).await?;
        self.renew_disks(mke2fs).await?;
        // What the console has shown meanwhile, and in the run that was saved, is not of the one that begins.
        self.record.transcript.forget();
        self.boot(start).await
    }

    /// The disks may be those of the state, or a part of them, or what the machine has made of them since.
    async fn renew_disks(&self, mke2fs: &Path) -> Result<(), Failure> {
        let planned = save::planned(self)?;
        let (machine, disks) = (planned.machine.clone(), planned.files.disks.clone());
        let mke2fs = mke2fs.to_owned();
        let copying = planned.copies.begin().await;
        let renew = move || {
            let _copying = copying;
            renew_disks(&machine, &disks, &mke2fs)
        };
        let cannot = |reason: String| Failure::CannotStart { reason };
        match spawn_blocking(renew).await {
            Ok(renewed) => renewed.map_err(|error| cannot(format!("{error:#}"))),
            Err(error) => Err(cannot(error.to_string())),
        }
    }

    async fn go_on_from(&self, initial: &Initial, allow_reboot: bool) -> Result<(), Failure> {
        self.load(&initial.saved, allow_reboot).await?;
        self.go_on().await?;
        self.freshen(&initial.fresh).await
    }

    /// Makes anew what a machine has for itself.
    ///
    /// # Errors
    /// When the guest cannot be reached, or cannot do it.
    pub async fn freshen(&self, fresh: &[Fresh]) -> Result<(), Failure> {
        let scripts: Vec<&str> = fresh.iter().map(|&fresh| fresh::script(fresh)).collect();
        if scripts.is_empty() {
            return Ok(());
        }
        let what = "the renewal of what the machine has for itself (`fresh`)";
        let completed = self
            .run_quietly(&scripts.concat(), what, FRESHENING_TIME)
            .await?;
        match completed.status {
            ExitStatus::Code(0) => Ok(()),
            status => Err(Failure::Refused {
                reason: format!(
                    "what a machine has for itself cannot be made anew ({}): {}",
                    ending(status),
                    String::from_utf8_lossy(&completed.stderr).trim()
                ),
            }),
        }
    }

    /// Starts QEMU with a state of the machine, whatever runs now, and has it wait with that.
    ///
    /// # Errors
    /// When the state cannot be brought back.
    pub async fn load(&self, saved: &Arc<Saved>, allow_reboot: bool) -> Result<(), Failure> {
        let gone = |state: &State| !state.is_running() && state.end().is_none_or(End::is_orderly);
        self.stop(Order::Discard, gone).await?;
        let start = Start {
            allow_reboot,
            state_dir: None,
        };
        let restore = Some(Arc::clone(saved));
        self.ask(|reply| Order::Start {
            start,
            restore,
            reply,
        })
        .await?;
        // They are QEMU's own, and in no state of the machine.
        for forward in &saved.forwards {
            self.forward_port(forward.host_port, forward.guest_port)
                .await?;
        }
        Ok(())
    }

    /// Ports of the host that lead into the guest.
    #[must_use]
    pub fn forwards(&self) -> Vec<Forward> {
        self.record.forwards.all()
    }

    /// Has a machine that waits with its state go on.
    ///
    /// # Errors
    /// When it does not.
    pub async fn go_on(&self) -> Result<(), Failure> {
        self.ask(|reply| Order::GoOn { reply }).await
    }

    /// Waits until the guest is up and has taken everything that was sent to its agent, and has nothing more sent while the
    /// answer lives.
    ///
    /// # Errors
    /// When the machine does not run, is lost, or its agent does not answer.
    pub async fn hold(&self) -> Result<Hold, Failure> {
        save::planned(self)?;
        if !self.state().is_running() {
            return Err(unavailable(&self.state()));
        }
        let agent = self.agent(false).await?;
        let after = HOLDING_TIME * self.setup.accelerator.patience();
        match timeout(after, agent.hold()).await {
            Ok(Ok(hold)) => Ok(hold),
            Ok(Err(_)) => Err(self.lost().await),
            Err(_) => Err(Failure::TimedOut {
                what: "an answer of the guest's agent (is the machine paused?)".to_owned(),
                after,
            }),
        }
    }

    /// What is known of the machine while it runs.
    ///
    /// # Errors
    /// When it does not.
    pub fn running(&self) -> Result<Status, Failure> {
        let status = self.status.borrow().clone();
        match status.state.is_running() {
            true => Ok(status),
            false => Err(unavailable(&status.state)),
        }
    }

    /// What becomes its QEMU.
    #[must_use]
    pub fn launch(&self) -> &Launch {
        &self.setup.launch
    }

    /// The switches that it may be plugged into, by VLAN.
    #[must_use]
    pub fn switches(&self) -> Vec<(u16, Switch)> {
        let switches = self.setup.switches.iter();
        switches
            .map(|(vlan, switch)| (*vlan, switch.clone()))
            .collect()
    }
}

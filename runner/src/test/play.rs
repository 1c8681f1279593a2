//! What a test does: it runs its script, perhaps with machines that go on from a snapshot, or it makes one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use vmtest_manifest::{Restore, Save, Snapshot};
use vmtest_script::backend::{Condition, ExitStatus, MachineErrorKind as Failure, WaitOutcome};
use vmtest_script::{Mode, Script};

use super::machines::{Machines, Source};
use super::{Fault, remove};
use crate::bridge::{ScriptDriver, Stop};
use crate::check::{PREPARE, TEST_SCRIPT};
use crate::event::Event;
use crate::machine::command::ending;
use crate::machine::{Handle, Initial, Otherwise};
use crate::snapshot::kept::{self, Keep};
use crate::snapshot::save::{self, all, at_once};
use crate::spec::Test;
use crate::workshop::{Premises, Workshop};
use vmtest_report::Outcome;

/// The unit of systemd that is reached when a machine has booted.
const BOOTED: &str = "default.target";

/// How long a guest that is up may take to answer a question, by hardware virtualisation.
const ANSWERING_TIME: Duration = Duration::from_secs(10);

/// A test about to be run.
pub(super) struct Play<'a> {
    pub(super) test: &'a Test,
    /// How the script is run.
    pub(super) mode: Mode,
    pub(super) premises: Premises,
    /// Where machines have their files.
    pub(super) images: &'a Path,
    pub(super) stop: &'a Stop,
}

impl Play<'_> {
    /// Does what the manifest says.
    pub(super) async fn run(&self, machines: &mut Machines) -> Result<(), Fault> {
        match &self.test.snapshot {
            None => self.boot(None, machines).await,
            Some(Snapshot::Boot(boot)) => self.boot(Some(&boot.prepare), machines).await,
            Some(Snapshot::Save(save)) => self.save(save, machines).await,
            Some(Snapshot::Restore(restore)) => self.restore(restore, machines).await,
        }
    }

    /// Runs the script with new machines, which boot: one that prepares them is run first.
    async fn boot(&self, prepare: Option<&str>, machines: &mut Machines) -> Result<(), Fault> {
        let source = Source::New(self.images.to_owned());
        let workshop = self.set_up(machines, source).await?;
        if let Some(prepare) = prepare {
            self.prepare(prepare, machines, &workshop).await?;
        }
        self.play(machines, &workshop).await
    }

    async fn set_up(
        &self,
        machines: &mut Machines,
        source: Source,
    ) -> Result<Arc<Workshop>, Fault> {
        let premises = self.premises.clone();
        machines
            .set_up(self.test, premises, source, self.images)
            .await
    }

    /// Runs the test script.
    async fn play(&self, machines: &Machines, workshop: &Arc<Workshop>) -> Result<(), Fault> {
        let script = self.script(TEST_SCRIPT, &self.test.script, self.mode);
        self.run_script(script, machines, workshop).await
    }

    /// Runs a script before the test script, or in its place; at a prompt, too, it is not asked for.
    async fn prepare(
        &self,
        text: &str,
        machines: &Machines,
        workshop: &Arc<Workshop>,
    ) -> Result<(), Fault> {
        let script = self.script(PREPARE, text, Mode::Script);
        self.run_script(script, machines, workshop).await
    }

    fn script(&self, name: &str, text: &str, mode: Mode) -> Script {
        Script {
            text: text.to_owned(),
            name: name.to_owned(),
            python_path: self.test.python_path.clone(),
            mode,
            keep_going: self.test.keep_going,
        }
    }

    /// The script runs on a thread of its own. One that does not listen to [`Stop`] is left behind.
    async fn run_script(
        &self,
        script: Script,
        machines: &Machines,
        workshop: &Arc<Workshop>,
    ) -> Result<(), Fault> {
        let (handles, vlans) = (&machines.handles, self.test.vlans());
        let driver = ScriptDriver::new(handles, &vlans, Arc::clone(workshop), self.stop.clone());
        let run = spawn_blocking(move || vmtest_script::run(&script, Arc::new(driver)));
        match run.await {
            Ok(result) => result.map_err(Fault::from),
            Err(error) => {
                let text = format!("the script's interpreter broke down: {error}");
                Err(Fault::new(Outcome::ScriptError, text))
            }
        }
    }

    /// Brings the machines to where they are to be saved, and keeps them in the output, in the folder that was
    /// [claimed](kept::claim) for that.
    async fn save(&self, save: &Save, machines: &mut Machines) -> Result<(), Fault> {
        let folder = self.premises.out.join(kept::FOLDER);
        let events = &self.premises.events;
        let workshop = self.set_up(machines, Source::New(folder.clone())).await?;
        if save.prepared {
            self.prepare(&self.test.script, machines, &workshop).await?;
        } else {
            let booted = at_once(&machines.handles, boot).await;
            all(&machines.handles, booted).map_err(Fault::of_machines)?;
        }
        match self.keep(save, machines, &folder).await {
            Err(reason) if !save.required => {
                events.warn(format!("the machines cannot be saved: {reason}"));
                remove(&folder, events);
                let accelerator = self.premises.accelerator;
                kept::keep_nothing(self.test, accelerator, &reason, &folder)
                    .map_err(|error| Fault::of_machines(format!("{error:#}")))
            }
            result => result.map_err(|reason| {
                let advice = "with `snapshot = \"prefer\"` the machines of such a test are booted";
                Fault::of_machines(format!("{reason}; {advice}"))
            }),
        }
    }

    async fn keep(&self, save: &Save, machines: &Machines, folder: &Path) -> Result<(), String> {
        let began = Instant::now();
        let running = machines.handles.iter();
        let running: Vec<Handle> = running
            .filter(|handle| handle.state().is_running())
            .cloned()
            .collect();
        let saved = save::save(&running).await;
        let saved = saved.map_err(|error| error.to_string())?;
        // They go on running until they are ended: nothing of what they do now is kept.
        let ended = at_once(&running, |handle| async move { handle.end().await }).await;
        all(&running, ended).map_err(|error| error.to_string())?;
        let mut keeps = Vec::new();
        for (handle, machine) in machines.handles.iter().zip(&self.test.machines) {
            let planned = save::planned(handle).map_err(|failure| failure.to_string())?;
            let position = running
                .iter()
                .position(|other| other.name() == handle.name());
            keeps.push(Keep {
                machine: machine.clone(),
                files: planned.files.clone(),
                saved: position.map(|position| Arc::clone(&saved[position])),
            });
        }
        let (test, folder) = (self.test.clone(), folder.to_owned());
        let (accelerator, prepared) = (self.premises.accelerator, save.prepared);
        let keep = move || kept::keep(&test, accelerator, prepared, &keeps, &folder);
        let packed = off_thread(keep)
            .await
            .map_err(|error| format!("{error:#}"))?;
        self.premises.events.info(format!(
            "{} of {} machines saved in {:.2} seconds: {} MiB in use, of which {} MiB are in their images and {} MiB are in \
             others of these machines; {} MiB stored",
            running.len(),
            machines.handles.len(),
            began.elapsed().as_secs_f64(),
            mebibytes(packed.pages),
            mebibytes(packed.from_images),
            mebibytes(packed.pages - packed.from_images - packed.stored),
            packed.bytes >> 20,
        ));
        Ok(())
    }

    /// Runs the script with machines that go on from a snapshot.
    async fn restore(&self, restore: &Restore, machines: &mut Machines) -> Result<(), Fault> {
        self.premises.events.emit(Event::Snapshot {
            from: restore.from.clone(),
        });
        let (test, from) = (self.test.clone(), restore.from.clone());
        let accelerator = self.premises.accelerator;
        let open = move || kept::open(&from, &test, accelerator);
        let snapshot = match off_thread(open).await {
            Ok(snapshot) => Arc::new(snapshot),
            Err(error) => {
                let reason = format!("{error:#}");
                return self.boot_instead(restore, &reason, machines).await;
            }
        };
        let source = Source::Snapshot(Arc::clone(&snapshot));
        let workshop = match self.set_up(machines, source).await {
            Ok(workshop) => workshop,
            Err(fault) => {
                let reason = fault.report.message;
                return self.boot_instead(restore, &reason, machines).await;
            }
        };
        let running = machines.handles.iter().filter_map(|handle| {
            let restorable = &snapshot.machines[handle.name()];
            let saved = Arc::clone(&restorable.saved);
            restorable.running.then(|| (handle.clone(), saved))
        });
        let running: Vec<_> = running.collect();
        if snapshot.prepared {
            if let Err(reason) = restore_now(&running, restore).await {
                drop(running);
                return self.boot_instead(restore, &reason, machines).await;
            }
        } else {
            for (handle, saved) in running {
                let initial = Initial {
                    saved,
                    otherwise: match restore.required {
                        true => Otherwise::Fail,
                        false => Otherwise::Boot {
                            mke2fs: self.test.tools.mke2fs.clone(),
                        },
                    },
                    fresh: restore.fresh.clone(),
                };
                handle.set_initial(initial).await;
            }
        }
        self.play(machines, &workshop).await
    }

    /// Runs the script with machines that boot, if they may: those that cannot go on are given up. Some may run, and they have
    /// disks on which the script that has prepared them has left its traces.
    async fn boot_instead(
        &self,
        restore: &Restore,
        reason: &str,
        machines: &mut Machines,
    ) -> Result<(), Fault> {
        self.refuse(restore, reason)?;
        let given_up = std::mem::take(machines);
        given_up.end(self.images, &self.premises.events).await;
        self.boot(restore.prepare.as_deref(), machines).await
    }

    /// The snapshot cannot be used: that is the end, unless the machines may boot instead.
    fn refuse(&self, restore: &Restore, reason: &str) -> Result<(), Fault> {
        let events = &self.premises.events;
        let from = restore.from.display();
        if restore.required {
            return Err(Fault::of_machines(format!(
                "the machines cannot go on from the snapshot {from}: {reason}"
            )));
        }
        events.warn(format!(
            "the machines boot, since they cannot go on from the snapshot {from}: {reason}"
        ));
        events.emit(Event::Unrestored {
            machine: None,
            reason: reason.to_owned(),
        });
        Ok(())
    }
}

/// Does what takes a while on a thread of its own: signals, the test's time and the log are not to wait for it.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    spawn_blocking(work).await?
}

/// Has machines go on together, before the script begins.
async fn restore_now(
    machines: &[(Handle, Arc<crate::snapshot::Saved>)],
    restore: &Restore,
) -> Result<(), String> {
    let restored = save::restore(machines).await;
    restored.map_err(|error| error.to_string())?;
    for (handle, _) in machines {
        let name = handle.name();
        let freshened = handle.freshen(&restore.fresh).await;
        freshened.map_err(|failure| format!("{name}: {failure}"))?;
    }
    Ok(())
}

/// Starts a machine and waits until it has booted: its agent says so, and its system's default target is reached.
async fn boot(machine: Handle) -> Result<(), Failure> {
    machine.start(false).await?;
    machine.connect().await?;
    let question = "test -d /run/systemd/system";
    let what = "an answer of the guest's shell";
    let answer = machine.run_quietly(question, what, ANSWERING_TIME).await?;
    match answer.status {
        ExitStatus::Code(0) => {}
        ExitStatus::Code(1) => return Ok(()),
        status => {
            return Err(Failure::Refused {
                reason: format!(
                    "`{question}` in the guest says neither yes nor no ({})",
                    ending(status)
                ),
            });
        }
    }
    let target = Condition::Unit {
        unit: BOOTED.to_owned(),
        user: None,
        state: None,
    };
    let limit = machine.boot_time();
    match machine.wait(&target, Some(limit)).await? {
        WaitOutcome::Met => Ok(()),
        WaitOutcome::TimedOut { .. } => Err(Failure::TimedOut {
            what: format!("{BOOTED} of the machine (see its option `bootTimeout`)"),
            after: limit,
        }),
    }
}

fn mebibytes(pages: u64) -> u64 {
    (pages * vmtest_state::PAGE as u64) >> 20
}

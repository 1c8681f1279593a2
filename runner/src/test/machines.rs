//! The machines of a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};
use vmtest_manifest::Boot;
use vmtest_script::backend::MachineErrorKind as Failure;
use vmtest_switch::Switch;

use super::{Fault, remove};
use crate::event::{Event, Events};
use crate::machine::turns::Turns;
use crate::machine::{Handle, Setup};
use crate::provision::{provision, provision_from};
use crate::snapshot::kept::Snapshot;
use crate::snapshot::save::at_once;
use crate::spec::{Machine, Test};
use crate::vm::launch::{Copies, Launch, Planned};
use crate::vm::plan::Files;
use crate::vm::start_command::StartCommand;
use crate::vm::vde::Vde;
use crate::workshop::{Commanded, Made, Premises, Workshop};

/// The machines of a test.
#[derive(Default)]
pub(super) struct Machines {
    pub(super) handles: Vec<Handle>,
    tasks: Vec<JoinHandle<()>>,
    workshop: Option<Arc<Workshop>>,
    /// Where machines of start commands are plugged into the VLANs.
    vlans: Vec<Vde>,
    switches: BTreeMap<u16, Switch>,
}

/// Where the files of machines come from.
pub(super) enum Source {
    /// They are made; what the machines boot from lies in this folder.
    New(PathBuf),
    /// The machines go on from this.
    Snapshot(Arc<Snapshot>),
}

impl Machines {
    /// Builds what they boot from, and makes their tasks. None is started. More can be made in the workshop.
    pub(super) async fn set_up(
        &mut self,
        test: &Test,
        premises: Premises,
        source: Source,
        images: &Path,
    ) -> Result<Arc<Workshop>, Fault> {
        let files = files(test, source, images).await?;
        let turns = Turns::for_machines_on(premises.accelerator);
        let switch = |vlan| (vlan, Switch::default());
        let switches: BTreeMap<u16, Switch> = test.vlans().into_iter().map(switch).collect();
        self.switches.clone_from(&switches);
        for (machine, files) in test.machines.iter().zip(files) {
            let launch = Launch::Planned(Box::new(Planned {
                qemu: test.tools.qemu.clone(),
                accelerator: premises.accelerator,
                machine: machine.clone(),
                files,
                scratch: images.join(&machine.name),
                copies: Copies::default(),
            }));
            let setup = setup(machine, launch, &premises, turns.clone(), switches.clone());
            self.add(Handle::new(setup?));
        }
        let is_needed = !test.start_scripts.is_empty();
        let sockets = self.open_vlans(&premises, switches, is_needed)?;
        for machine in &test.machines {
            if let Boot::Initrd(initrd) = &machine.boot {
                let text = format!(
                    "{} boots by its own initrd, {}",
                    machine.name,
                    initrd.display()
                );
                premises.events.info(text);
            }
        }
        self.make_commanded(test, &premises, &sockets)?;
        // Where all are meant, they come in the order of their names.
        self.handles
            .sort_by(|one, other| one.name().cmp(other.name()));
        let workshop = Arc::new(Workshop::new(premises, sockets));
        self.workshop = Some(Arc::clone(&workshop));
        Ok(workshop)
    }

    fn add(&mut self, (handle, task): Made) {
        self.handles.push(handle);
        self.tasks.push(task);
    }

    /// Opens the VLANs for machines of start commands; gives the folders of their sockets. Where no machine of the test needs
    /// them, a script may still make one that does, and a folder whose name is too long for sockets is no error.
    fn open_vlans(
        &mut self,
        premises: &Premises,
        switches: BTreeMap<u16, Switch>,
        is_needed: bool,
    ) -> Result<BTreeMap<u16, PathBuf>, Fault> {
        let mut sockets = BTreeMap::new();
        for (vlan, switch) in switches {
            let folder = premises.tmp_dir.join(format!("vde{vlan}.ctl"));
            match Vde::open(folder.clone(), switch) {
                Ok(vde) => {
                    self.vlans.push(vde);
                    sockets.insert(vlan, folder);
                }
                Err(error) if is_needed => {
                    return Err(Fault::of_machines(format!("{}: {error}", folder.display())));
                }
                Err(error) => {
                    tracing::debug!(%error, folder = %folder.display(), "no sockets of a VLAN")
                }
            }
        }
        Ok(sockets)
    }

    /// Makes the machines of the test's start scripts.
    fn make_commanded(
        &mut self,
        test: &Test,
        premises: &Premises,
        sockets: &BTreeMap<u16, PathBuf>,
    ) -> Result<(), Fault> {
        for script in &test.start_scripts {
            let text = format!("{} is started by {}", script.name, script.program.display());
            premises.events.info(text);
            let machine = Commanded {
                name: script.name.clone(),
                command: StartCommand::of(&script.program),
                qemu_options: script.qemu_options.clone(),
                boot_timeout: script.boot_timeout,
            };
            let made = premises.make(machine, false, sockets.clone());
            self.add(made.map_err(Fault::of_machines)?);
        }
        Ok(())
    }

    /// Ends them all, at once and without a farewell: nobody keeps what they would write. Their files in the folder `images`
    /// and their state directories are removed.
    pub(super) async fn end(mut self, images: &Path, events: &Events) {
        let made = self.workshop.as_ref().map(|workshop| workshop.close());
        made.into_iter().flatten().for_each(|made| self.add(made));
        let state_dir = |handle: &Handle| handle.state_dir().to_owned();
        let state_dirs: Vec<PathBuf> = self.handles.iter().map(state_dir).collect();
        let ends = at_once(&self.handles, |handle| async move { handle.end().await });
        let ends = ends.await;
        self.tasks.iter().for_each(JoinHandle::abort);
        for (vlan, switch) in &self.switches {
            events.emit(Event::Traffic {
                vlan: *vlan,
                counters: switch.counters(),
            });
        }
        // A start or a snapshot that was given up may still write where everything is removed now.
        let settled = at_once(&self.handles, |handle| async move { handle.settle().await });
        let names: Vec<&str> = self.handles.iter().map(Handle::name).collect();
        let running = complaints(&names, "its QEMU does not end", &ends);
        let copying = complaints(&names, "a copy of its files does not end", &settled.await);
        for complaint in running.into_iter().chain(copying) {
            events.warn(complaint);
        }
        for folder in state_dirs.iter().map(PathBuf::as_path).chain([images]) {
            remove(folder, events);
        }
    }
}

/// What went wrong with which machine.
fn complaints(names: &[&str], what: &str, results: &[Result<(), Failure>]) -> Vec<String> {
    let failures = names.iter().zip(results).filter_map(|(name, result)| {
        let failure = result.as_ref().err()?;
        Some(format!("{name}: {what}: {failure}"))
    });
    failures.collect()
}

/// A machine of the test's own, with its folders made.
fn setup(
    machine: &Machine,
    launch: Launch,
    premises: &Premises,
    turns: Option<Turns>,
    switches: BTreeMap<u16, Switch>,
) -> Result<Setup, Fault> {
    let logs = premises.logs(&machine.name).map_err(Fault::of_machines)?;
    let state_dir = premises.state_dir(&machine.name);
    fs::create_dir_all(&state_dir).map_err(Fault::of_machines)?;
    Ok(Setup {
        name: machine.name.clone(),
        launch,
        boot_timeout: machine.boot_timeout,
        accelerator: premises.accelerator,
        turns,
        switches,
        logs,
        state_dir,
        wait_for_output: premises.wait_for_output,
        tesseract: premises.tesseract.clone(),
        events: premises.events.clone(),
    })
}

async fn files(test: &Test, source: Source, images: &Path) -> Result<Vec<Files>, Fault> {
    let (test, images) = (test.clone(), images.to_owned());
    let made = spawn_blocking(move || match source {
        Source::New(boots) => provision(&test, &boots, &images),
        Source::Snapshot(snapshot) => provision_from(&snapshot, &test, &images),
    });
    let made = made.await.map_err(Fault::of_machines)?;
    made.map_err(|error| Fault::of_machines(format!("{error:#}")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_does_not_end_is_named() {
        let late = Failure::TimedOut {
            what: "the end of QEMU".to_owned(),
            after: Duration::from_secs(30),
        };
        let told = complaints(
            &["a", "b", "c"],
            "it stays",
            &[Ok(()), Err(late.clone()), Ok(())],
        );
        assert_eq!(told, [format!("b: it stays: {late}")]);
    }
}

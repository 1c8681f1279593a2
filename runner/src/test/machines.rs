//! The machines of a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};
use vmtest_switch::Switch;

use super::{Fault, remove};
use crate::event::Events;
use crate::machine::turns::Turns;
use crate::machine::{Handle, Setup};
use crate::provision::{provision, provision_from};
use crate::snapshot::kept::Snapshot;
use crate::snapshot::save::at_once;
use crate::spec::Test;
use crate::vm::launch::{Copies, Launch, Planned};
use crate::vm::plan::Files;
use crate::workshop::{Premises, Workshop};

/// The machines of a test.
#[derive(Default)]
pub(super) struct Machines {
    pub(super) handles: Vec<Handle>,
    tasks: Vec<JoinHandle<()>>,
    workshop: Option<Arc<Workshop>>,
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
        for (machine, files) in test.machines.iter().zip(files) {
            let logs = premises.logs(&machine.name);
            let state_dir = premises.state_dir(&machine.name);
            for folder in [&logs, &state_dir] {
                fs::create_dir_all(folder).map_err(Fault::of_machines)?;
            }
            let (handle, task) = Handle::new(Setup {
                name: machine.name.clone(),
                launch: Launch::Planned(Box::new(Planned {
                    qemu: test.tools.qemu.clone(),
                    accelerator: premises.accelerator,
                    machine: machine.clone(),
                    files,
                    scratch: images.join(&machine.name),
                    copies: Copies::default(),
                })),
                boot_timeout: machine.boot_timeout,
                accelerator: premises.accelerator,
                turns: turns.clone(),
                switches: switches.clone(),
                logs,
                state_dir,
                wait_for_output: premises.wait_for_output,
                tesseract: premises.tesseract.clone(),
                events: premises.events.clone(),
            });
            self.handles.push(handle);
            self.tasks.push(task);
        }
        let workshop = Arc::new(Workshop::new(premises));
        self.workshop = Some(Arc::clone(&workshop));
        Ok(workshop)
    }

    /// Ends them all, at once and without a farewell: nobody keeps what they would write. Their files in the folder `images`
    /// and their state directories are removed.
    pub(super) async fn end(mut self, images: &Path, events: &Events) {
        for (handle, task) in self.workshop.iter().flat_map(|workshop| workshop.close()) {
            self.handles.push(handle);
            self.tasks.push(task);
        }
        let state_dir = |handle: &Handle| handle.state_dir().to_owned();
        let state_dirs: Vec<PathBuf> = self.handles.iter().map(state_dir).collect();
        let ends = at_once(&self.handles, |handle| async move { handle.end().await });
        let ends = ends.await;
        self.tasks.iter().for_each(JoinHandle::abort);
        // A start or a snapshot that was given up may still write where everything is removed now.
        let settled = at_once(&self.handles, |handle| async move { handle.settle().await });
        for failure in ends
            .into_iter()
            .chain(settled.await)
            .filter_map(Result::err)
        {
            events.warn(format!("a machine does not end: {failure}"));
        }
        for folder in state_dirs.iter().map(PathBuf::as_path).chain([images]) {
            remove(folder, events);
        }
    }
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

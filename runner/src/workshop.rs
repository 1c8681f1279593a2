//! Machines that are each started by a command of their own, and where a script has such made.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use vmtest_script::backend::{MachineErrorKind as Failure, NewMachine};

use crate::event::Events;
use crate::machine::{CONSOLE_LOG, Handle, JOURNAL_LOG, LOGS, QEMU_LOG, Setup};
use crate::vm::accel::Accelerator;
use crate::vm::launch::Launch;
use crate::vm::start_command::StartCommand;

/// How long such a machine may take to show a root shell.
const BOOT_TIME: Duration = Duration::from_secs(300);

/// What a machine is called when neither the script nor the command says so.
const ANY_NAME: &str = "machine";

/// What is the same for all machines of a test.
#[derive(Debug, Clone)]
pub struct Premises {
    /// What most likely executes their instructions.
    pub accelerator: Accelerator,
    /// The agent's program.
    pub agent: PathBuf,
    /// The folder in which the state directories are made.
    pub tmp_dir: PathBuf,
    /// The folder that all machines of the test see.
    pub shared_dir: PathBuf,
    /// The test's output.
    pub out: PathBuf,
    /// Whether a command ends only when nobody holds its outputs any more, unless it says otherwise.
    pub wait_for_output: bool,
    /// `tesseract`, if the test reads screens.
    pub tesseract: Option<PathBuf>,
    /// Where to report.
    pub events: Events,
    /// The names of machines whose logs are of this test.
    pub logged: Arc<Mutex<BTreeSet<String>>>,
}

/// A machine that a command starts.
#[derive(Debug, Clone)]
pub struct Commanded {
    /// Its name; folders have it.
    pub name: String,
    /// The command of the host's shell.
    pub command: OsString,
    /// Arguments of QEMU that come last.
    pub qemu_options: Vec<String>,
    /// How long it may take to show a root shell, on hardware virtualisation.
    pub boot_timeout: Duration,
}

impl Premises {
    /// Makes a machine that a command starts, with the sockets of the VLANs. It is off. Called in the runtime that its task is
    /// to run in; blocking.
    ///
    /// # Errors
    /// When its folders cannot be made; names the folder.
    pub fn make(
        &self,
        machine: Commanded,
        keep_state: bool,
        vlans: BTreeMap<u16, PathBuf>,
    ) -> Result<Made, String> {
        let Commanded {
            name,
            command,
            qemu_options,
            boot_timeout,
        } = machine;
        let state_dir = self.state_dir(&name);
        let made = make_state_dir(&state_dir, keep_state);
        made.map_err(|error| format!("{}: {error}", state_dir.display()))?;
        let logs = self.logs(&name)?;
        Ok(Handle::new(Setup {
            name: name.clone(),
            launch: Launch::Command(StartCommand {
                name,
                command,
                qemu_options,
                shared_dir: self.shared_dir.clone(),
                agent: self.agent.clone(),
                vlans,
            }),
            boot_timeout,
            accelerator: self.accelerator,
            turns: None,
            switches: BTreeMap::new(),
            logs,
            state_dir,
            wait_for_output: self.wait_for_output,
            tesseract: self.tesseract.clone(),
            events: self.events.clone(),
        }))
    }

    /// The state directory of the machine of this name.
    #[must_use]
    pub fn state_dir(&self, name: &str) -> PathBuf {
        self.tmp_dir.join(format!("vm-state-{name}"))
    }

    /// Makes the folder of its logs. Those of another test, which was run in the same output before, are removed; all machines
    /// of this name in this test have one folder. Blocking.
    ///
    /// # Errors
    /// When the folder cannot be made, or a log not removed; names it.
    pub fn logs(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.out.join(LOGS).join(name);
        let complain = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(&folder).map_err(|error| complain(&folder, error))?;
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.insert(name.to_owned()) {
            for log in [CONSOLE_LOG, JOURNAL_LOG, QEMU_LOG] {
                let path = folder.join(log);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(complain(&path, error));
                    }
                    _ => {}
                }
            }
        }
        Ok(folder)
    }
}

/// A machine and its task.
pub type Made = (Handle, JoinHandle<()>);

/// Where a script has machines made.
#[derive(Debug)]
pub struct Workshop {
    premises: Premises,
    /// The folders of the VLANs' sockets.
    vlans: BTreeMap<u16, PathBuf>,
    /// None when the test is over.
    made: Mutex<Option<Vec<Made>>>,
}

impl Workshop {
    /// One that is open.
    #[must_use]
    pub fn new(premises: Premises, vlans: BTreeMap<u16, PathBuf>) -> Self {
        Self {
            premises,
            vlans,
            made: Mutex::new(Some(Vec::new())),
        }
    }

    /// What is the same for all machines.
    #[must_use]
    pub fn premises(&self) -> &Premises {
        &self.premises
    }

    /// Makes a machine that is off. Called in the runtime that its task is to run in; blocking.
    ///
    /// # Errors
    /// When it cannot have such a name, or its folders cannot be made, or the test is over.
    pub fn make(&self, new: &NewMachine) -> Result<Handle, Failure> {
        let refuse = |reason: String| Failure::Refused { reason };
        let found = StartCommand::name_in(&new.start_command);
        let name = new.name.as_deref().or(found).unwrap_or(ANY_NAME);
        if !is_file_name(name) {
            return Err(refuse(format!(
                "a machine cannot be called `{name}`: folders have its name"
            )));
        }
        let machine = Commanded {
            name: name.to_owned(),
            command: new.start_command.trim_end().into(),
            qemu_options: Vec::new(),
            boot_timeout: BOOT_TIME,
        };
        let mut machines = self.lock();
        let Some(machines) = machines.as_mut() else {
            return Err(refuse("the test is over".to_owned()));
        };
        let made = self
            .premises
            .make(machine, new.keep_state, self.vlans.clone());
        let (handle, task) = made.map_err(refuse)?;
        machines.push((handle.clone(), task));
        Ok(handle)
    }

    /// Makes no more machines; gives those that were made.
    pub fn close(&self) -> Vec<Made> {
        self.lock().take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<Made>>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_file_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 200 && !name.contains(['/', '\0'])
}

/// Whoever may look into a machine's state may take it over.
fn make_state_dir(path: &Path, keep: bool) -> io::Result<()> {
    if !keep {
        match fs::remove_dir_all(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workshop(folder: &Path) -> Workshop {
        let premises = Premises {
            accelerator: Accelerator::Kvm,
            agent: "/agent".into(),
            tmp_dir: folder.join("tmp"),
            shared_dir: folder.join("shared"),
            out: folder.join("out"),
            wait_for_output: false,
            tesseract: None,
            events: Events::new().0,
            logged: Arc::default(),
        };
        Workshop::new(premises, BTreeMap::new())
    }

    fn new(name: Option<&str>, start_command: &str, keep_state: bool) -> NewMachine {
        NewMachine {
            name: name.map(str::to_owned),
            start_command: start_command.to_owned(),
            keep_state,
        }
    }

    #[tokio::test]
    async fn machines_have_names() {
        let folder = tempfile::tempdir().expect("folder");
        let workshop = workshop(folder.path());
        let make = |name, command| {
            let made = workshop.make(&new(name, command, false));
            made.map(|handle| handle.name().to_owned())
                .map_err(|failure| failure.to_string())
        };
        assert_eq!(make(None, "/x/run-server-vm"), Ok("server".into()));
        assert_eq!(make(Some("a"), "/x/run-server-vm"), Ok("a".into()));
        assert_eq!(make(None, "qemu"), Ok("machine".into()));
        let refused = "a machine cannot be called `a/b`: folders have its name";
        assert_eq!(make(Some("a/b"), "qemu"), Err(refused.into()));
        assert_eq!(workshop.close().len(), 3);
        assert_eq!(make(None, "qemu"), Err("the test is over".into()));
    }

    /// A test that is run again in the same folder does not append to what it has logged then; one that makes a machine anew does.
    #[tokio::test]
    async fn logs_are_of_one_test() {
        let folder = tempfile::tempdir().expect("folder");
        let log = folder.path().join("out/machines/machine/console.log");
        let notes = log.with_file_name("notes");
        for _ in 0..2 {
            let workshop = workshop(folder.path());
            workshop.make(&new(None, "qemu", true)).expect("made");
            assert!(!log.exists());
            for file in [&log, &notes] {
                fs::write(file, "text").expect("written");
            }
            workshop.make(&new(None, "qemu", true)).expect("made");
            assert!(log.exists() && notes.exists());
        }
    }

    #[tokio::test]
    async fn state_is_kept_only_where_that_is_asked_for() {
        let folder = tempfile::tempdir().expect("folder");
        let workshop = workshop(folder.path());
        let handle = workshop.make(&new(None, "qemu", true)).expect("made");
        let disk = handle.state_dir().join("disk.img");
        fs::write(&disk, "disk").expect("written");
        workshop.make(&new(None, "qemu", true)).expect("made");
        assert!(disk.exists());
        workshop.make(&new(None, "qemu", false)).expect("made");
        assert!(!disk.exists());
    }
}

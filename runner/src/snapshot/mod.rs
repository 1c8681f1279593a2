//! The state of machines, saved to go on from it: within a test, or in other tests with the same machines.
//!
//! ```text
//!  running machines ── hold the agents, stop all ──▶ device state (QEMU), memory and disks (files) ── go on
//!                                                          │
//!                       within the test: a folder of its own, or packed beside the boot files, for other tests
//!                                                          ▼
//!  new QEMU, paused ◀── devices, memory, disks ── go on together ──▶ the agent is told of time and chance, says hello
//! ```
//!
//! A machine's memory is a file of the runner's that QEMU maps, so QEMU itself saves little: the state of its devices
//! (a migration stream with the capability `x-ignore-shared`).
//!
//! - [`Saved`]: what is kept of one machine;
//! - `drives`: whether all that a machine writes to is saved with it;
//! - [`save`]: how it comes to be, and how machines go back to it;
//! - [`kept`]: the folder in which machines are kept for other tests;
//! - `processor`: the processor that they were saved on, and that of this host.

mod drives;
pub mod kept;
mod processor;
pub mod save;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use vmtest_state::sparse::{self, CopyError};
use vmtest_state::{Archive, StateError};

use crate::machine::record::Forward;
use crate::vm::plan::Disks;

/// Name of the memory among a machine's saved files.
const MEMORY: &str = "memory";

/// Name of the state of its devices.
const DEVICES: &str = "devices";

/// Why a state cannot be kept, or brought back.
#[derive(Debug, Error)]
pub enum SaveError {
    /// A file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive.
    #[error("{error}{}", cause(error))]
    Archive {
        /// What is wrong with it.
        #[from]
        error: StateError,
    },
}

impl SaveError {
    fn of(path: &Path, source: io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            source,
        }
    }
}

fn cause(error: &StateError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(": {source}"))
}

/// One machine's state. With the last owner its folder is removed, if it is one.
#[derive(Debug)]
pub struct Saved {
    source: Source,
    /// Whether QEMU survived a reset.
    pub allow_reboot: bool,
    /// Ports of the host that lead into the guest.
    pub forwards: Vec<Forward>,
    /// The logs of the run that it was saved in, if that was another test's.
    pub logs: Option<PathBuf>,
}

#[derive(Debug)]
enum Source {
    /// Files as they were.
    Folder(PathBuf),
    /// Files of an archive, with the machine's name in front.
    Archive {
        archive: Arc<Archive>,
        machine: String,
    },
}

impl Saved {
    /// The state that lies in `folder`.
    fn in_folder(folder: &Path, allow_reboot: bool, forwards: Vec<Forward>) -> Self {
        Self {
            source: Source::Folder(folder.to_owned()),
            allow_reboot,
            forwards,
            logs: None,
        }
    }

    /// The state of a machine that lies in an archive.
    fn in_archive(
        archive: &Arc<Archive>,
        machine: &str,
        allow_reboot: bool,
        forwards: Vec<Forward>,
        logs: PathBuf,
    ) -> Self {
        Self {
            source: Source::Archive {
                archive: Arc::clone(archive),
                machine: machine.to_owned(),
            },
            allow_reboot,
            forwards,
            logs: Some(logs),
        }
    }

    /// The files, with their names, of a state that is not in an archive yet.
    fn files(&self) -> Result<Vec<(String, PathBuf)>, SaveError> {
        let Source::Folder(folder) = &self.source else {
            return Ok(Vec::new());
        };
        let failed = |source| SaveError::File {
            path: folder.clone(),
            source,
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            files.push((
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            ));
        }
        files.sort();
        Ok(files)
    }

    /// Writes the memory into `to`, which is all zeros.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn restore_memory(&self, to: &File) -> Result<(), SaveError> {
        self.restore(MEMORY, to, Path::new("the guest's memory"))
    }

    /// Writes the state of the devices to a file.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn restore_devices(&self, to: &Path) -> Result<(), SaveError> {
        self.restore(DEVICES, &create(to)?, to)
    }

    /// Makes the machine's disks as they were.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn restore_disks(&self, disks: &Disks) -> Result<(), SaveError> {
        disks
            .all()
            .try_for_each(|disk| self.restore(&name_of(disk), &create(disk)?, disk))
    }

    /// Writes a file into `to`, which errors call by the name `target`.
    fn restore(&self, name: &str, to: &File, target: &Path) -> Result<(), SaveError> {
        match &self.source {
            Source::Folder(folder) => {
                let path = folder.join(name);
                copy(&open(&path)?, &path, to, target)
            }
            Source::Archive { archive, machine } => {
                match archive.extract(&format!("{machine}/{name}"), to) {
                    Err(StateError::Target { source }) => Err(SaveError::of(target, source)),
                    extracted => Ok(extracted?),
                }
            }
        }
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        if let Source::Folder(folder) = &self.source
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            tracing::debug!(%error, folder = %folder.display(), "a saved state stays");
        }
    }
}

/// A disk's name among the saved files.
fn name_of(disk: &Path) -> String {
    let name = disk.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn create(path: &Path) -> Result<File, SaveError> {
    File::create(path).map_err(|source| SaveError::of(path, source))
}

fn open(path: &Path) -> Result<File, SaveError> {
    File::open(path).map_err(|source| SaveError::of(path, source))
}

/// Copies a file without what is empty in it. The side that fails is called by its name.
fn copy(from: &File, from_name: &Path, to: &File, to_name: &Path) -> Result<(), SaveError> {
    sparse::copy(from, to).map_err(|error| match error {
        CopyError::Read(source) => SaveError::of(from_name, source),
        CopyError::Write(source) => SaveError::of(to_name, source),
    })
}

//! A fifo tells a test what a process of a command does, and when it has gone.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use rustix::fs::{OFlags, fcntl_setfl};
use tempfile::TempDir;

/// A fifo whose reading end is open: whoever opens it for writing need not wait.
pub(crate) struct Fifo {
    pub(crate) path: String,
    reader: File,
    _folder: TempDir,
}

impl Fifo {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = make(&folder, "fifo");
        let nonblocking = OFlags::NONBLOCK.bits().cast_signed();
        let mut options = File::options();
        let reader = options.read(true).custom_flags(nonblocking).open(&path);
        Self {
            path,
            reader: reader.expect("opened"),
            _folder: folder,
        }
    }

    /// Everything that was written, once all writers have gone.
    pub(crate) fn all(mut self) -> String {
        fcntl_setfl(&self.reader, OFlags::empty()).expect("made to block");
        let mut text = String::new();
        self.reader.read_to_string(&mut text).expect("read");
        text
    }
}

/// Makes a fifo in a folder.
pub(crate) fn make(folder: &TempDir, name: &str) -> String {
    let path = folder.path().join(name).display().to_string();
    let made = Command::new("mkfifo").arg(&path).status();
    assert!(made.expect("mkfifo").success());
    path
}

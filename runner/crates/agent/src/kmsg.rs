//! The kernel's log, where the agent's own notes go: they are seen on the console.

use std::fs::File;
use std::io::Write;

/// How a line is shown: the kernel's log levels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Level {
    /// The machine cannot go on.
    Critical = 2,
    /// Something is not as it should be.
    Warning = 4,
    /// What is done.
    Info = 6,
}

/// Writes one line to the kernel's log, if there is one.
pub(crate) fn note(level: Level, text: &str) {
    if let Ok(mut log) = open() {
        // One write is one record; more than 1 KiB would be refused.
        let mut line = format!("<{}>vmtest-agent: {text}", level as u8);
        line.truncate(line.floor_char_boundary(900));
        let _ = log.write_all(line.as_bytes());
    }
}

/// The log, for a process's standard error.
pub(crate) fn open() -> std::io::Result<File> {
    File::options().write(true).open("/dev/kmsg")
}

//! What a start command starts beside QEMU, such as a TPM.
//!
//! It has things to put down when QEMU has ended, and a QEMU that is started next finds them only when that is done. All of it holds a
//! pipe, whatever process group or session it is in: when nobody holds that any more, it has ended.

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use command_fds::FdMapping;
use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, timeout_at};

/// How long it may take to end after QEMU.
const PARTING_TIME: Duration = Duration::from_secs(5);

/// How long it may take to be gone after it was killed.
const KILLING_TIME: Duration = Duration::from_secs(1);

/// Where its programs have the pipe: beyond the numbers that scripts use.
const PIPE_FD: i32 = 99;

/// The programs beside a QEMU.
#[derive(Debug)]
pub(super) struct Company {
    pipe: pipe::Receiver,
    /// When it is not waited for any longer; from QEMU's end on.
    until: Option<Instant>,
}

impl Company {
    /// What a command has to inherit so that it and all that it starts count.
    pub(super) fn new() -> io::Result<(Self, FdMapping)> {
        let (theirs, pipe) = pipe::pipe()?;
        let mapping = FdMapping {
            parent_fd: theirs.into_blocking_fd()?,
            child_fd: PIPE_FD,
        };
        Ok((Self { pipe, until: None }, mapping))
    }

    /// QEMU has ended: waits until all else has, and ends what does not. May be dropped and called again.
    pub(super) async fn part(&mut self) {
        let until = *self
            .until
            .get_or_insert_with(|| Instant::now() + PARTING_TIME);
        if !self.has_ended(until).await {
            self.kill();
            self.has_ended(until + KILLING_TIME).await;
        }
    }

    async fn has_ended(&mut self, until: Instant) -> bool {
        let mut said = [0; 64];
        let ended = async { while matches!(self.pipe.read(&mut said).await, Ok(1..)) {} };
        timeout_at(until, ended).await.is_ok()
    }

    /// Ends all of it at once.
    pub(super) fn kill(&self) {
        let own = format!("/proc/self/fd/{}", self.pipe.as_raw_fd());
        let Ok(pipe) = fs::read_link(own) else {
            return;
        };
        for process in processes().filter(|process| writes_to(*process, &pipe)) {
            tracing::debug!(?process, "ending what was started beside QEMU");
            // It may have ended meanwhile.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

/// All processes but this one.
fn processes() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(Pid::from_raw)
        .filter(|process| *process != getpid())
}

/// Whether a process has an end of the pipe to write to. A child of the runner's that is not QEMU yet may have the other end.
fn writes_to(process: Pid, pipe: &Path) -> bool {
    let folder = format!("/proc/{}", process.as_raw_nonzero());
    let entries = fs::read_dir(format!("{folder}/fd")).into_iter().flatten();
    entries.flatten().any(|entry| {
        let is_pipe = fs::read_link(entry.path()).is_ok_and(|target| target == pipe);
        is_pipe && {
            let name = entry.file_name();
            let told = fs::read_to_string(format!("{folder}/fdinfo/{}", name.display()));
            let told = told.unwrap_or_default();
            let flags = told.lines().find_map(|line| line.strip_prefix("flags:"));
            let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
            // O_WRONLY of O_ACCMODE.
            flags.is_some_and(|flags| flags & 0b11 == 0b01)
        }
    })
}

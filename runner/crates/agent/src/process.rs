//! Programs of the guest, started by the agent.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::serve::timespec;

/// The directory of this process, and of programs that need no other.
pub(crate) const HOME: &str = "/";

/// Whether this process is one that the kernel must not kill for want of memory.
static PROTECTED: Mutex<bool> = Mutex::new(false);

/// Has the kernel spare this process, not those it starts, when memory runs out.
pub(crate) fn protect() {
    *PROTECTED.lock().unwrap_or_else(PoisonError::into_inner) = true;
    adjust("-1000");
}

/// One of the guest's own tools, found where NixOS and others have them; it inherits nothing else from here.
pub(crate) fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env_clear()
        .env("PATH", "/run/current-system/sw/bin:/usr/bin:/bin");
    command
}

/// Starts a program in a directory; the kernel may kill it like any other.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(command: &mut Command, folder: &Path) -> io::Result<Child> {
    // A child has its parent's setting at its start; setting its own would come too late for what it starts itself. So it
    // is with the directory: a command that has to set one is not started the quick way (`posix_spawn`).
    let protected = PROTECTED.lock().unwrap_or_else(PoisonError::into_inner);
    std::env::set_current_dir(folder)?;
    if *protected {
        adjust("0");
    }
    let child = command.spawn();
    if *protected {
        adjust("-1000");
    }
    // Whoever has a directory in use keeps its file system from being unmounted.
    std::env::set_current_dir(HOME)?;
    child
}

fn adjust(score: &str) {
    static SCORE: LazyLock<Option<File>> = LazyLock::new(|| {
        let file = File::options().write(true).open("/proc/self/oom_score_adj");
        file.ok()
    });
    if let Some(file) = &*SCORE {
        let _ = file.write_at(score.as_bytes(), 0);
    }
}

/// What the program, started in a directory, wrote to its standard output, if it succeeded within `limit`.
///
/// # Errors
/// When it cannot be started, fails, or takes too long.
pub(crate) fn capture(mut command: Command, folder: &Path, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = spawn(command.process_group(0), folder)?;
    let mut output = Vec::new();
    let result = match child.stdout.take() {
        Some(pipe) => read_until(pipe, &mut output, deadline),
        None => Err(io::Error::other("no standard output")),
    };
    if result.is_err() {
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    }
    let status = child.wait()?;
    result?;
    if status.success() {
        Ok(output)
    } else {
        Err(io::Error::other(status.to_string()))
    }
}

fn read_until(
    mut pipe: impl Read + rustix::fd::AsFd,
    output: &mut Vec<u8>,
    deadline: Instant,
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let ready = poll(
            &mut [PollFd::new(&pipe, PollFlags::IN)],
            Some(&timespec(left)),
        )?;
        if ready == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match pipe.read(&mut buffer)? {
            0 => return Ok(()),
            length => output.extend_from_slice(&buffer[..length]),
        }
    }
}

//! Programs of the guest, started by the agent.

use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::serve::timespec;

/// Whether this process is one that the kernel must not kill for want of memory.
static PROTECTED: Mutex<bool> = Mutex::new(false);

/// Has the kernel spare this process, not those it starts, when memory runs out.
pub(crate) fn protect() {
    *PROTECTED.lock().unwrap_or_else(PoisonError::into_inner) = true;
    adjust("-1000");
}

/// Starts a program, which the kernel may kill like any other.
///
/// # Errors
/// When it cannot be started.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    // A child has its parent's setting at its start; setting its own would come too late for what it starts itself.
    let protected = PROTECTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*protected {
        return command.spawn();
    }
    adjust("0");
    let child = command.spawn();
    adjust("-1000");
    child
}

fn adjust(score: &str) {
    let _ = fs::write("/proc/self/oom_score_adj", score);
}

/// What the program wrote to its standard output, if it succeeded within `limit`.
///
/// # Errors
/// When it cannot be started, fails, or takes too long.
pub(crate) fn capture(mut command: Command, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = spawn(command.process_group(0))?;
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

//! Runs a program of the guest for its output.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::serve::timespec;

/// What the program wrote to its standard output, if it succeeded within `limit`.
///
/// # Errors
/// When it cannot be started, fails, or takes too long.
pub(crate) fn capture(mut command: Command, limit: Duration) -> io::Result<Vec<u8>> {
    let deadline = Instant::now() + limit;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
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

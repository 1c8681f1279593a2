//! Commands: their output as it comes, their end when their process ends.
//!
//! - [`pipes`]: what goes between a command and the runner;
//! - [`holders`]: who holds the outputs of a command that has ended.

mod holders;
mod pipes;

use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use vmtest_protocol::{CHUNK, Ended, Failure, Outcome, Run};

use super::connection::Finished;
use super::feed::Supply;
use super::shell::Shell;
use super::task::{Stopped, Task};
use super::timespec;
use crate::process::spawn;
use pipes::Pipes;

/// Bytes of output in one message: a chunk that fits, with what goes round it, into one write to the port (32 KiB).
pub(super) const PIECE: usize = CHUNK - 64;

/// How long a process whose time is over may take to end in its own way, when it is told to.
const TO_END: Duration = Duration::from_secs(1);

/// How long a killed process may take to go; one in the middle of a device's answer does not go at all.
const TO_DIE: Duration = Duration::from_secs(5);

/// How long outputs may stay open after their command's end before it counts that somebody holds them: what a command
/// has started last, as in `> >(tee log)`, ends a little later than it.
const TO_CLOSE: Duration = Duration::from_millis(50);

/// Runs a script until its process ends, its time is up or it is cancelled.
pub(super) fn run(task: &Task, shell: &Shell, run: &Run, input: Option<Supply>) -> Finished {
    match start_and_follow(task, shell, run, input) {
        Ok((outcome, pipes)) => Finished {
            result: Ok(outcome),
            // Whoever still holds the outputs neither waits nor gets SIGPIPE.
            afterwards: Some(Box::new(|task| pipes.read_on(task))),
        },
        Err(failure) => Err(failure).into(),
    }
}

fn start_and_follow(
    task: &Task,
    shell: &Shell,
    run: &Run,
    input: Option<Supply>,
) -> Result<(Outcome, Pipes), Failure> {
    let (mut command, _script_file) = shell.command(&run.script)?;
    let program = command.get_program().display().to_string();
    let failure = |error: io::Error| Failure(format!("cannot run {program}: {error}"));
    command
        .stdin(match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(command.process_group(0), Shell::folder()).map_err(failure)?;
    let pid = Pid::from_child(&child);
    let ready = pidfd_open(pid, PidfdFlags::empty())
        .map_err(io::Error::from)
        .and_then(|process| Ok((process, Pipes::of(&mut child, input)?)));
    let (process, mut pipes) = ready.map_err(|error| {
        let _ = kill_process_group(pid, Signal::KILL);
        failure(error)
    })?;

    let followed = pipes.follow(task, &process).and_then(|()| {
        let limit = (!run.wait_for_output).then_some(TO_CLOSE);
        pipes.until_closed(task, limit)
    });
    if let Err(Stopped(outcome)) = &followed {
        let ends_within = |limit| {
            let mut fds = [PollFd::new(&process, PollFlags::IN)];
            poll(&mut fds, Some(&timespec(limit))).is_ok_and(|ready| ready > 0)
        };
        // Not waited for yet: the number is still this group's.
        if matches!(outcome, Outcome::TimedOut { .. }) {
            let _ = kill_process_group(pid, Signal::TERM);
            ends_within(TO_END);
        }
        let _ = kill_process_group(pid, Signal::KILL);
        ends_within(TO_DIE);
    }
    let status = child.try_wait().map_err(failure)?;
    pipes.drain(task);
    match (followed, status) {
        (Err(Stopped(outcome)), _) => Ok((outcome, pipes)),
        (Ok(()), Some(status)) => {
            let how = ended(status);
            let holders = holders::of(&pipes.inodes());
            Ok((Outcome::Ended { how, holders }, pipes))
        }
        (Ok(()), None) => Err(Failure(format!("{program} has ended without a status"))),
    }
}

fn ended(status: ExitStatus) -> Ended {
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Code(byte(code)),
        (None, signal) => Ended::Signal(byte(signal.unwrap_or_default())),
    }
}

//! Commands: their output as it comes, their end when their process ends.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use vmtest_protocol::{CHUNK, Ended, Failure, Outcome, Stream, ToHost};

use super::connection::STACK;
use super::shell::Shell;
use super::task::{Stopped, Task};
use super::timespec;
use crate::process::spawn;

/// Bytes of output in one message: a chunk that fits, with what goes round it, into one write to the port (32 KiB).
pub(super) const PIECE: usize = CHUNK - 64;

/// How long a killed process may take to go; one in the middle of a device's answer does not go at all.
const TO_DIE: Duration = Duration::from_secs(5);

/// Runs a script until its process ends, its time is up or it is cancelled.
pub(super) fn run(task: &Task, shell: &Shell, script: &str) -> Result<Outcome, Failure> {
    let (mut command, _script_file) = shell.command(script)?;
    let program = command.get_program().display().to_string();
    let failure = |error: std::io::Error| Failure(format!("cannot run {program}: {error}"));
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(command.process_group(0)).map_err(failure)?;
    let pid = Pid::from_child(&child);
    let process = pidfd_open(pid, PidfdFlags::empty()).map_err(|error| {
        let _ = kill_process_group(pid, Signal::KILL);
        failure(error.into())
    })?;
    let mut pipes = Pipes::of(&mut child);

    let followed = pipes.follow(task, &process);
    if followed.is_err() {
        // Not waited for yet: the number is still this group's.
        let _ = kill_process_group(pid, Signal::KILL);
        let mut fds = [PollFd::new(&process, PollFlags::IN)];
        let _ = poll(&mut fds, Some(&timespec(TO_DIE)));
    }
    let status = child.try_wait().map_err(failure)?;
    pipes.drain(task);
    pipes.discard();
    match (followed, status) {
        (Err(Stopped(outcome)), _) => Ok(outcome),
        (Ok(()), Some(status)) => Ok(Outcome::Ended {
            how: ended(status),
            holders: Vec::new(),
        }),
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

/// The reading ends of a command's outputs that are open still.
struct Pipes {
    open: Vec<(Stream, File)>,
    buffer: Vec<u8>,
}

impl Pipes {
    fn of(child: &mut Child) -> Self {
        let stdout = child
            .stdout
            .take()
            .map(|pipe| (Stream::Stdout, OwnedFd::from(pipe)));
        let stderr = child
            .stderr
            .take()
            .map(|pipe| (Stream::Stderr, OwnedFd::from(pipe)));
        let open = stdout.into_iter().chain(stderr);
        Self {
            open: open
                .map(|(stream, pipe)| (stream, File::from(pipe)))
                .collect(),
            buffer: vec![0; PIECE],
        }
    }

    /// Sends output as it comes, until the process ends.
    fn follow(&mut self, task: &Task, process: &OwnedFd) -> Result<(), Stopped> {
        loop {
            let mut fds = vec![PollFd::new(process, PollFlags::IN)];
            fds.extend(
                self.open
                    .iter()
                    .map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)),
            );
            let ready = task.poll(&fds, None)?;
            drop(fds);
            // From the last to the first: one that is closed is removed.
            for index in (1..ready.len()).rev().filter(|index| ready[*index]) {
                let (stream, pipe) = &mut self.open[index - 1];
                match pipe.read(&mut self.buffer) {
                    Ok(length) if length > 0 => {
                        let data = self.buffer[..length].to_vec();
                        task.send(&ToHost::Output(task.id, *stream, data))?;
                    }
                    _ => {
                        self.open.remove(index - 1);
                    }
                }
            }
            if ready[0] {
                return Ok(());
            }
        }
    }

    /// Sends what the pipes hold at this moment, and no more: others may go on writing for ever.
    fn drain(&mut self, task: &Task) {
        for (stream, pipe) in &mut self.open {
            let held = ioctl_fionread(&pipe).unwrap_or_default();
            let mut held = pipe.take(held);
            while let Ok(length @ 1..) = held.read(&mut self.buffer) {
                let message = ToHost::Output(task.id, *stream, self.buffer[..length].to_vec());
                // One that is to end has no time to wait for room.
                if task.send(&message).is_err() {
                    task.try_send(&message);
                }
            }
        }
    }

    /// Reads on for those who still hold the pipes, so that they neither wait nor get SIGPIPE, until they have gone.
    fn discard(mut self) {
        self.open.retain(|(_, pipe)| {
            let mut state = [PollFd::new(pipe, PollFlags::IN)];
            let _ = poll(&mut state, Some(&Timespec::default()));
            state[0].revents().contains(PollFlags::IN)
                || !state[0].revents().contains(PollFlags::HUP)
        });
        if self.open.is_empty() {
            return;
        }
        let thread = std::thread::Builder::new()
            .name("late output".into())
            .stack_size(STACK);
        let _ = thread.spawn(move || {
            while !self.open.is_empty() {
                let mut fds: Vec<PollFd<'_>> = self
                    .open
                    .iter()
                    .map(|(_, pipe)| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN))
                    .collect();
                let _ = poll(&mut fds, None);
                let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
                let mut ready = ready.into_iter();
                self.open.retain_mut(|(_, pipe)| {
                    !ready.next().unwrap_or_default()
                        || matches!(pipe.read(&mut self.buffer), Ok(1..))
                });
            }
        });
    }
}

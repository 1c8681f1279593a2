//! The guest's journal, where systemd keeps one.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use rustix::event::PollFlags;
use vmtest_protocol::ToHost;

use super::command::PIECE;
use super::task::{Stopped, Task};
use crate::process::{HOME, spawn, tool};

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Where journald writes, in folders named after the machine.
const FOLDERS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

/// The first pause between two looks for a journal, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A journalctl that ended is started again, but not at once.
const AGAIN: Duration = Duration::from_secs(2);

/// All of this boot, but for what the kernel said: the console shows that.
const ARGUMENTS: [&str; 11] = [
    "--follow",
    "--no-tail",
    "--boot",
    "--quiet",
    "--output=short-monotonic",
    "--no-hostname",
    "_TRANSPORT=syslog",
    "_TRANSPORT=journal",
    "_TRANSPORT=stdout",
    "_TRANSPORT=driver",
    "_TRANSPORT=audit",
];

/// Sends the journal's lines, from the boot's first or from a time on, until the task is cancelled.
pub(super) fn follow(task: &Task, since: Option<Duration>) {
    while wait_for_journal(task).is_ok() {
        if let Some((mut child, pipe)) = start(since) {
            let sent = send_lines(task, pipe);
            let _ = child.kill();
            let _ = child.wait();
            if sent.is_err() {
                return;
            }
        }
        if task.sleep(AGAIN).is_err() {
            return;
        }
    }
}

fn wait_for_journal(task: &Task) -> Result<(), Stopped> {
    let mut pause = PAUSES.0;
    while !is_kept() {
        task.sleep(pause)?;
        pause = (pause * 9 / 8).min(PAUSES.1);
    }
    Ok(())
}

/// Whether journald runs and has begun to write; not while systemd shuts the machine down.
fn is_kept() -> bool {
    let written = || {
        let folders = FOLDERS
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok());
        let mut machines = folders.flatten().flatten();
        machines.any(|machine| machine.path().join("system.journal").exists())
    };
    Path::new(SOCKET).exists()
        && fs::read_to_string("/proc/1/comm").is_ok_and(|name| name == "systemd\n")
        && written()
}

fn start(since: Option<Duration>) -> Option<(Child, ChildStdout)> {
    let mut command = tool("journalctl");
    if let Some(since) = since {
        let (seconds, micros) = (since.as_secs(), since.subsec_micros());
        command.arg(format!("--since=@{seconds}.{micros:06}"));
    }
    command
        .args(ARGUMENTS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = spawn(&mut command, HOME.as_ref()).ok()?;
    let pipe = child.stdout.take()?;
    Some((child, pipe))
}

/// Sends whole lines, many in one message when they come fast, until the pipe ends.
fn send_lines(task: &Task, mut pipe: ChildStdout) -> Result<(), Stopped> {
    let mut buffer = vec![0; PIECE];
    let mut held = 0;
    loop {
        task.wait_for(pipe.as_fd(), PollFlags::IN, None)?;
        let length = match pipe.read(&mut buffer[held..]) {
            Ok(length) if length > 0 => length,
            _ => return Ok(()),
        };
        held += length;
        let lines = match buffer[..held].iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            // A line longer than the buffer goes in pieces.
            None if held == buffer.len() => held,
            None => continue,
        };
        task.send(&ToHost::Journal(buffer[..lines].to_vec()))?;
        buffer.copy_within(lines..held, 0);
        held -= lines;
    }
}

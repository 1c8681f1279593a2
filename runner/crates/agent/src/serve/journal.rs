//! The guest's journal, where systemd keeps one.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
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

/// How many lines of this boot's journal were told. It outlives a `journalctl`, and a conversation.
#[derive(Debug, Default)]
pub(super) struct Told(AtomicU64);

/// Sends the journal's lines that were not told yet, until the task is cancelled.
pub(super) fn follow(task: &Task, told: &Told) {
    while wait_for_journal(task).is_ok() {
        if let Some((mut child, pipe)) = start() {
            let sent = send_lines(task, told, pipe);
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

fn start() -> Option<(Child, ChildStdout)> {
    let mut command = tool("journalctl");
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
fn send_lines(task: &Task, told: &Told, mut pipe: ChildStdout) -> Result<(), Stopped> {
    let mut buffer = vec![0; PIECE];
    let mut held = 0;
    let mut known = told.0.load(Ordering::Relaxed);
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
        let news = unknown(&buffer[..lines], &mut known);
        if !news.is_empty() {
            task.send(&ToHost::Journal(news.to_vec()))?;
            told.0.fetch_add(count_lines(news), Ordering::Relaxed);
        }
        buffer.copy_within(lines..held, 0);
        held -= lines;
    }
}

/// What follows on the first `known` lines; so many fewer are known then.
fn unknown<'a>(mut text: &'a [u8], known: &mut u64) -> &'a [u8] {
    while *known > 0 {
        match text.iter().position(|&byte| byte == b'\n') {
            Some(end) => text = &text[end + 1..],
            None => return &[],
        }
        *known -= 1;
    }
    text
}

fn count_lines(text: &[u8]) -> u64 {
    text.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_known_are_passed_over() {
        let mut known = 3;
        assert_eq!(unknown(b"a\nb\n", &mut known), b"");
        assert_eq!(known, 1);
        assert_eq!(unknown(b"a part of a line", &mut known), b"");
        assert_eq!(unknown(b" and its end\nd\ne\n", &mut known), b"d\ne\n");
        assert_eq!(unknown(b"f\n", &mut known), b"f\n");
        assert_eq!(count_lines(b"d\ne\n"), 2);
    }
}

//! The guest's journal, where systemd keeps one.
//!
//! - [`export`]: the form in which `journalctl` gives it.

mod export;

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::time::{ClockId, clock_gettime};
use vmtest_protocol::ToHost;

use super::command::PIECE;
use super::task::{Stopped, Task};
use crate::process::{HOME, spawn, tool};
use export::{FIELDS, Parsed};

/// Where journald listens.
const SOCKET: &str = "/run/systemd/journal/socket";

/// Where journald writes, in folders named after the machine.
const FOLDERS: [&str; 2] = ["/run/log/journal", "/var/log/journal"];

/// The first pause between two looks for a journal, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// A journalctl that ended is started again, but not at once.
const AGAIN: Duration = Duration::from_secs(2);

/// All of this boot, but for what the kernel said: the console shows that.
const ARGUMENTS: [&str; 12] = [
    "--follow",
    "--no-tail",
    "--boot",
    "--quiet",
    "--output=export",
    // Its value is among the arguments, too.
    "--output-fields",
    FIELDS,
    "_TRANSPORT=syslog",
    "_TRANSPORT=journal",
    "_TRANSPORT=stdout",
    "_TRANSPORT=driver",
    "_TRANSPORT=audit",
];

/// How far the journal of this boot was told. It outlives a `journalctl`, and a conversation.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Time of the last entry, in microseconds of the boot.
    last: AtomicU64,
    /// Time of day at the boot's beginning, in microseconds, by the clock that the entries have.
    boot: AtomicU64,
}

impl Told {
    /// Takes note of the clock, before it is set.
    pub(super) fn note_clock(&self) {
        let boot = now(ClockId::Realtime).saturating_sub(now(ClockId::Monotonic));
        self.boot.store(boot, Ordering::Relaxed);
    }

    /// A time of day before the first entry that was not told.
    fn since(&self) -> Option<u64> {
        let last = self.last.load(Ordering::Relaxed);
        (last > 0).then(|| (self.boot.load(Ordering::Relaxed) + last).saturating_sub(MARGIN))
    }
}

fn now(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1000
}

/// The two clocks of an entry are not read at once.
const MARGIN: u64 = 2_000_000;

/// Sends the journal's entries that were not told yet, until the task is cancelled.
pub(super) fn follow(task: &Task, told: &Told) {
    while wait_for_journal(task).is_ok() {
        let since = told.since();
        if since.is_none() {
            told.note_clock();
        }
        if let Some((mut child, pipe)) = start(since) {
            let sent = send_entries(task, told, pipe);
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

/// `since` is a time of day, in microseconds.
fn start(since: Option<u64>) -> Option<(Child, ChildStdout)> {
    let mut command = tool("journalctl");
    if let Some(since) = since {
        let (seconds, micros) = (since / 1_000_000, since % 1_000_000);
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

/// Sends whole entries, many in one message when they come fast, until the pipe ends.
fn send_entries(task: &Task, told: &Told, mut pipe: ChildStdout) -> Result<(), Stopped> {
    let mut buffer = vec![0; PIECE];
    let mut held = Vec::new();
    let mut known = told.last.load(Ordering::Relaxed);
    loop {
        task.wait_for(pipe.as_fd(), PollFlags::IN, None)?;
        let length = match pipe.read(&mut buffer) {
            Ok(length) if length > 0 => length,
            _ => return Ok(()),
        };
        held.extend_from_slice(&buffer[..length]);
        let mut text = Vec::new();
        let mut last = 0;
        let mut taken = 0;
        loop {
            let entry = match export::parse(&held[taken..]) {
                Parsed::Entry(entry, length) => {
                    taken += length;
                    entry
                }
                Parsed::More => break,
                // It is asked anew.
                Parsed::Nonsense => return Ok(()),
            };
            if is_news(entry.time, &mut known) {
                last = entry.time;
                entry.write(&mut text);
            }
            if text.len() >= PIECE {
                task.send(&ToHost::Journal(std::mem::take(&mut text)))?;
                told.last.fetch_max(last, Ordering::Relaxed);
            }
        }
        held.drain(..taken);
        if !text.is_empty() {
            task.send(&ToHost::Journal(text))?;
            told.last.fetch_max(last, Ordering::Relaxed);
        }
    }
}

/// Whether an entry follows on the time `known`: from the first that does on, everything does.
fn is_news(time: u64, known: &mut u64) -> bool {
    if time > *known {
        *known = 0;
    }
    *known == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_were_told_are_passed_over() {
        let mut known = 10;
        let times = [9, 10, 11, 1];
        let news = times.map(|time| is_news(time, &mut known));
        assert_eq!(news, [false, false, true, true]);
        assert!(is_news(0, &mut 0));
    }
}

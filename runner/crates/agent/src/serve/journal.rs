//! The guest's journal, where systemd keeps one.

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

/// How far the journal of this boot was told. It outlives a `journalctl`, and a conversation.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Time of the last line, in microseconds of the boot.
    last: AtomicU64,
    /// Time of day at the boot's beginning, in microseconds, by the clock that the lines have.
    boot: AtomicU64,
}

impl Told {
    /// Takes note of the clock, before it is set.
    pub(super) fn note_clock(&self) {
        let boot = now(ClockId::Realtime).saturating_sub(now(ClockId::Monotonic));
        self.boot.store(boot, Ordering::Relaxed);
    }

    /// A time of day before the first line that was not told.
    fn since(&self) -> Option<u64> {
        let last = self.last.load(Ordering::Relaxed);
        (last > 0).then(|| (self.boot.load(Ordering::Relaxed) + last).saturating_sub(MARGIN))
    }
}

fn now(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec.cast_unsigned() * 1_000_000 + now.tv_nsec.cast_unsigned() / 1000
}

/// The two clocks of a line are not read at once.
const MARGIN: u64 = 2_000_000;

/// Sends the journal's lines that were not told yet, until the task is cancelled.
pub(super) fn follow(task: &Task, told: &Told) {
    while wait_for_journal(task).is_ok() {
        let since = told.since();
        if since.is_none() {
            told.note_clock();
        }
        if let Some((mut child, pipe)) = start(since) {
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

/// Sends whole lines, many in one message when they come fast, until the pipe ends.
fn send_lines(task: &Task, told: &Told, mut pipe: ChildStdout) -> Result<(), Stopped> {
    let mut buffer = vec![0; PIECE];
    let mut held = 0;
    let mut known = told.last.load(Ordering::Relaxed);
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
        let news = after(&buffer[..lines], &mut known);
        if !news.is_empty() {
            task.send(&ToHost::Journal(news.to_vec()))?;
            let last = news.split(|&byte| byte == b'\n').rev().find_map(time_of);
            told.last.fetch_max(last.unwrap_or(0), Ordering::Relaxed);
        }
        buffer.copy_within(lines..held, 0);
        held -= lines;
    }
}

/// What follows on the lines up to the time `known`, and from then on everything.
fn after<'a>(mut text: &'a [u8], known: &mut u64) -> &'a [u8] {
    while *known > 0 && !text.is_empty() {
        if time_of(text).is_some_and(|time| time > *known) {
            *known = 0;
            break;
        }
        let end = text.iter().position(|&byte| byte == b'\n');
        text = &text[end.map_or(text.len(), |end| end + 1)..];
    }
    text
}

/// The time of a line such as `[   10.243047] systemd[1]: …`, in microseconds; none of one that goes on from another.
fn time_of(line: &[u8]) -> Option<u64> {
    let rest = line.strip_prefix(b"[")?;
    let end = rest.iter().position(|&byte| byte == b']')?;
    let (seconds, micros) = std::str::from_utf8(&rest[..end])
        .ok()?
        .trim()
        .split_once('.')?;
    Some(seconds.parse::<u64>().ok()? * 1_000_000 + micros.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_told_are_passed_over() {
        let mut known = 10_243_047;
        let text = b"[    9.998000] a[1]: old\n  goes on\n[   10.243047] b: last\n";
        assert_eq!(after(text, &mut known), b"");
        let text = b"  goes on\n[   10.243048] c: new\n[    1.000000] d: late\n";
        assert_eq!(after(text, &mut known), &text[10..]);
        assert_eq!(after(b"  e\n", &mut known), b"  e\n");
    }

    #[test]
    fn times_of_lines() {
        assert_eq!(time_of(b"[   10.243047] systemd[1]: x"), Some(10_243_047));
        assert_eq!(time_of(b"[123456.000001] x"), Some(123_456_000_001));
        for other in ["", "  [1.0] x", "[drm] x", "[1.0", "text"] {
            assert_eq!(time_of(other.as_bytes()), None, "{other}");
        }
    }
}

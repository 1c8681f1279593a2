//! What the developer sees while steps run: a line a step, and how far each has come.
#![expect(
    clippy::print_stderr,
    reason = "progress is for the one who waits at the terminal"
)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often a log without a terminal gets a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Steps at work, by their number.
pub(crate) struct Progress {
    total: usize,
    terminal: bool,
    running: BTreeMap<usize, Running>,
    last_beat: Instant,
}

struct Running {
    about: String,
    log: PathBuf,
    since: Instant,
}

impl Progress {
    pub(crate) fn new(total: usize) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self {
            total,
            terminal,
            running: BTreeMap::new(),
            last_beat: Instant::now(),
        }
    }

    pub(crate) fn started(&mut self, number: usize, about: &str, log: PathBuf) {
        self.say(&format!("[{number}/{}] {about} …", self.total));
        let about = about.to_owned();
        self.running.insert(
            number,
            Running {
                about,
                log,
                since: Instant::now(),
            },
        );
        self.last_beat = Instant::now();
    }

    pub(crate) fn finished(&mut self, number: usize, done: bool) {
        if let Some(Running { about, since, .. }) = self.running.remove(&number) {
            let word = if done { "done" } else { "FAILED" };
            let time = clock(since.elapsed());
            self.say(&format!(
                "[{number}/{}] {about}: {word} ({time})",
                self.total
            ));
        }
    }

    /// Shows how far the steps have come. Call it about once a second.
    pub(crate) fn tick(&mut self) {
        if self.terminal {
            let steps = self
                .running
                .iter()
                .map(|(number, step)| step.line(*number, self.total));
            let line = steps.collect::<Vec<_>>().join(" | ");
            eprint!("\r\x1b[K{}", cut(&line, 110));
        } else if self.last_beat.elapsed() >= HEARTBEAT {
            self.last_beat = Instant::now();
            for (number, step) in &self.running {
                eprintln!("{}", cut(&step.line(*number, self.total), 110));
            }
        }
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        eprintln!("{clear}{line}");
    }
}

impl Running {
    fn line(&self, number: usize, total: usize) -> String {
        let last = last_line(&self.log);
        let time = clock(self.since.elapsed());
        // Two steps share the line: neither may take all of it.
        cut(
            &format!("[{number}/{total}] {}, {time}: {last}", self.about),
            54,
        )
    }
}

/// `m:ss`.
pub(crate) fn clock(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 1).chain(['…']).collect()
}

/// The last line with something in it; empty if there is none yet.
fn last_line(log: &Path) -> String {
    let read = || -> std::io::Result<String> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(2048)))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        Ok(String::from_utf8_lossy(&tail).into_owned())
    };
    let tail = read().unwrap_or_default();
    let lines = tail.split(['\n', '\r']).rev().map(str::trim);
    let line = lines
        .into_iter()
        .find(|line| !line.is_empty())
        .unwrap_or_default();
    line.chars().filter(|c| !c.is_control()).collect()
}

/// The last lines of a log, for the report of a failure.
pub(crate) fn last_lines(log: &Path, count: usize) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let tail = &lines[lines.len().saturating_sub(count)..];
    tail.iter().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_the_one_that_tells_how_far() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(last_line(&log), "");
        std::fs::write(&log, "[1/9] a\n[2/9] \x1b[1mb\r\n\n").unwrap();
        assert_eq!(last_line(&log), "[2/9] [1mb");
        assert_eq!(last_lines(&log, 1), "    [2/9] \u{1b}[1mb\n");
    }

    #[test]
    fn times_and_widths() {
        assert_eq!(clock(Duration::from_secs(125)), "2:05");
        assert_eq!(cut("häuser", 4), "häu…");
        assert_eq!(cut("häus", 4), "häus");
    }
}

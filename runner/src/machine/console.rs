//! The serial console, line by line.
//!
//! All bytes go to `console.log` as they come. Lines are cut for the log of the test, cleaned of what a terminal would
//! act on, and looked through for the kernel's last words.

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// What the kernel writes when it panics.
const PANIC: &str = "Kernel panic - not syncing";

/// Longest line in bytes; a longer one is cut in two.
const LONGEST_LINE: usize = 16 * 1024;

/// Reads a console to its end. Each line is handed to `line`.
///
/// # Errors
/// When the log cannot be written. A console that cannot be read any more has ended.
pub async fn follow(
    mut console: UnixStream,
    log: &Path,
    mut line: impl FnMut(&str),
) -> std::io::Result<()> {
    let mut log = File::options().create(true).append(true).open(log).await?;
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = console.read(&mut buffer).await {
        log.write_all(&buffer[..length]).await?;
        lines.push(&buffer[..length], &mut line);
    }
    lines.finish(&mut line);
    log.flush().await
}

/// The kernel's own words when it panics.
#[must_use]
pub fn panic_message(line: &str) -> Option<&str> {
    line.find(PANIC).map(|start| &line[start..])
}

/// Cuts bytes into lines of text.
#[derive(Debug, Default)]
pub struct Lines {
    rest: Vec<u8>,
}

impl Lines {
    /// Takes in bytes and hands on the lines that are complete.
    pub fn push(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.rest.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.rest.len() >= LONGEST_LINE {
                self.finish(&mut line);
            }
        }
    }

    /// Hands on what is left, a line without an end.
    pub fn finish(&mut self, mut line: impl FnMut(&str)) {
        let bytes = std::mem::take(&mut self.rest);
        let text = clean(&String::from_utf8_lossy(&bytes));
        if !text.is_empty() {
            line(&text);
        }
    }
}

/// Leaves out terminal control sequences (ECMA-48) and control characters: they would act on the terminal of whoever
/// reads the log.
fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\x1b' => match chars.next() {
                Some('[') => while chars.next().is_some_and(|c| !matches!(c, '@'..='~')) {},
                Some(']') => while chars.next().is_some_and(|c| c != '\x07' && c != '\\') {},
                _ => {}
            },
            '\t' => cleaned.push(' '),
            c if c.is_control() => {}
            c => cleaned.push(c),
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.push(piece.as_bytes(), |line| found.push(line.to_owned()));
        }
        lines.finish(|line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn lines_are_cut_whatever_the_pieces() {
        assert_eq!(
            lines(&["one\r\ntw", "o\n\nthr", "ee"]),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn what_acts_on_a_terminal_is_left_out() {
        assert_eq!(
            lines(&["\x1b[2J\x1b[01;1H[\x1b[0;32m  OK  \x1b[0m] Started\n"]),
            ["[  OK  ] Started"]
        );
        assert_eq!(lines(&["\x1b]0;title\x07a\tb\x1bc\x00\n"]), ["a b"]);
        assert_eq!(lines(&["cut \x1b[3"]), ["cut "]);
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let long = "x".repeat(LONGEST_LINE);
        assert_eq!(lines(&[&long, "rest"]), [long.as_str(), "rest"]);
    }

    #[test]
    fn panics_are_found() {
        let line = "[    4.21] Kernel panic - not syncing: Attempted to kill init!";
        assert_eq!(
            panic_message(line),
            Some("Kernel panic - not syncing: Attempted to kill init!")
        );
        assert_eq!(panic_message("[    4.21] no panic"), None);
    }
}

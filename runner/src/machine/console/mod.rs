//! The serial console.
//!
//! All bytes go to `console.log` as they come. Their text is kept for scripts, and cut into lines for the log of the
//! test, where they are looked through for the kernel's last words.
//!
//! - [`clean`]: from bytes to text;
//! - [`transcript`]: the text that is kept.

pub mod clean;
pub mod transcript;

use std::path::Path;

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use clean::Cleaner;
use transcript::Transcript;

/// What the kernel writes when it panics.
const PANIC: &str = "Kernel panic - not syncing";

/// Longest line in bytes; a longer one is cut in two.
const LONGEST_LINE: usize = 16 * 1024;

/// What becomes of a console's text.
pub trait Audience {
    /// A line, which is not empty.
    fn line(&mut self, line: &str);

    /// Something that people should look at, such as `its oldest text is forgotten`.
    fn warn(&mut self, text: &str);
}

/// Reads a console to its end.
///
/// # Errors
/// When the log cannot be written. A console that cannot be read any more has ended.
pub async fn follow(
    mut console: impl AsyncRead + Unpin,
    log: &Path,
    transcript: &Transcript,
    mut audience: impl Audience,
) -> std::io::Result<()> {
    let mut log = File::options().create(true).append(true).open(log).await?;
    let mut cleaner = Cleaner::default();
    let mut lines = Lines::default();
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = console.read(&mut buffer).await {
        log.write_all(&buffer[..length]).await?;
        let text = cleaner.clean(&buffer[..length]);
        if transcript.push(&text) {
            let most = transcript::MOST >> 20;
            audience.warn(&format!(
                "the console has shown more than {most} MiB: scripts do not find its oldest text any more"
            ));
        }
        lines.push(&text, |line| audience.line(line));
    }
    lines.finish(|line| audience.line(line));
    transcript.end_line();
    log.flush().await
}

/// The kernel's own words when it panics.
#[must_use]
pub fn panic_message(line: &str) -> Option<&str> {
    line.find(PANIC).map(|start| &line[start..])
}

/// Cuts text into lines.
#[derive(Debug, Default)]
pub struct Lines {
    rest: String,
}

impl Lines {
    /// Takes in text and hands on the lines that are complete.
    pub fn push(&mut self, text: &str, mut line: impl FnMut(&str)) {
        for piece in text.split_inclusive('\n') {
            self.rest.push_str(piece);
            while self.rest.len() > LONGEST_LINE {
                let rest = self
                    .rest
                    .split_off(self.rest.floor_char_boundary(LONGEST_LINE));
                self.finish(&mut line);
                self.rest = rest;
            }
            if piece.ends_with('\n') {
                self.finish(&mut line);
            }
        }
    }

    /// Hands on what is left, a line without an end.
    pub fn finish(&mut self, mut line: impl FnMut(&str)) {
        let text = std::mem::take(&mut self.rest);
        let text = text.trim_end_matches('\n');
        if !text.is_empty() {
            line(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.push(piece, |line| found.push(line.to_owned()));
        }
        lines.finish(|line| found.push(line.to_owned()));
        found
    }

    #[test]
    fn lines_are_cut_whatever_the_pieces() {
        assert_eq!(
            lines(&["one\ntw", "o\n\nthr", "ee"]),
            ["one", "two", "three"]
        );
    }

    #[test]
    fn a_line_without_an_end_does_not_fill_the_memory() {
        let long = "x".repeat(LONGEST_LINE);
        assert_eq!(
            lines(&[&long, &long, "rest\n"]),
            [long.as_str(), &long, "rest"]
        );
        assert_eq!(lines(&[&long, "\n", "next"]), [long.as_str(), "next"]);
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

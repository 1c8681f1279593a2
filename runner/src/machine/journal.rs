//! The journal of a guest: what its agent tells of it goes to `journal.log`, and line by line to the log of the test.

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::console::clean::Cleaner;
use crate::event::{Event, Events};

/// Where a journal goes.
#[derive(Debug)]
pub(super) struct Journal {
    log: File,
    cleaner: Cleaner,
    /// What the last line with a beginning was about.
    about: About,
}

/// What stands before a line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct About {
    priority: Option<u8>,
    unit: Option<String>,
}

impl Journal {
    pub(super) fn new(log: File) -> Self {
        Self {
            log,
            cleaner: Cleaner::default(),
            about: About::default(),
        }
    }

    /// Takes in whole lines of the machine of this name.
    ///
    /// # Errors
    /// When they cannot be logged.
    pub(super) async fn take(
        &mut self,
        bytes: &[u8],
        machine: &str,
        events: &Events,
    ) -> std::io::Result<()> {
        let mut plain = Vec::with_capacity(bytes.len());
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            let (about, line) = split(line);
            if let Some(about) = about {
                self.about = about;
            }
            plain.extend_from_slice(line);
            let text = self.cleaner.clean(line);
            let text = text.trim_end_matches('\n');
            if !text.is_empty() {
                events.emit(Event::Journal {
                    machine: machine.to_owned(),
                    priority: self.about.priority,
                    unit: self.about.unit.clone(),
                    line: text.to_owned(),
                });
            }
        }
        self.log.write_all(&plain).await
    }

    /// # Errors
    /// When what was logged cannot be written.
    pub(super) async fn flush(&mut self) -> std::io::Result<()> {
        self.log.flush().await
    }
}

/// What a line is about, if it says so, and the line without that; see `vmtest_protocol::ToHost::Journal`.
fn split(line: &[u8]) -> (Option<About>, &[u8]) {
    let parts = || {
        let rest = line.strip_prefix(b"<")?;
        let end = rest.iter().position(|&byte| byte == b'>')?;
        let (priority, rest) = (&rest[..end], &rest[end + 1..]);
        let end = rest.iter().position(|&byte| byte == b' ')?;
        let (unit, text) = (&rest[..end], &rest[end + 1..]);
        let priority = match priority {
            [digit @ b'0'..=b'7'] => Some(digit - b'0'),
            [] => None,
            _ => return None,
        };
        let unit = (!unit.is_empty()).then(|| String::from_utf8_lossy(unit).into_owned());
        Some((About { priority, unit }, text))
    };
    parts().map_or((None, line), |(about, text)| (Some(about), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lines_are_about() {
        let about = |priority, unit: Option<&str>| {
            Some(About {
                priority,
                unit: unit.map(str::to_owned),
            })
        };
        let table = [
            (
                "<3>a.service [1.0] x: y\n",
                about(Some(3), Some("a.service")),
                "[1.0] x: y\n",
            ),
            ("<> [1.0] x: y", about(None, None), "[1.0] x: y"),
            ("<6> [1.0] x", about(Some(6), None), "[1.0] x"),
            // What goes on from a line before, or comes from an agent that says no more.
            ("    <6>a b", None, "    <6>a b"),
            ("[1.0] x: y", None, "[1.0] x: y"),
            ("<99>a b", None, "<99>a b"),
            ("<6>", None, "<6>"),
        ];
        for (line, expected, text) in table {
            let (about, rest) = split(line.as_bytes());
            assert_eq!((about, rest), (expected, text.as_bytes()), "{line}");
        }
    }
}

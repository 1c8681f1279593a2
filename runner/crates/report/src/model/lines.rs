//! The part of a long output that a report keeps: its beginning and its end.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// Lines that are kept of the beginning.
const FIRST: usize = 200;

/// Lines that are kept of the end.
const LAST: usize = 800;

/// What the commands in a machine printed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lines {
    /// The first lines.
    pub first: Vec<OutputLine>,
    /// How many lines after those are not kept here, or came too fast for the log.
    pub left_out: u64,
    /// The last lines.
    pub last: VecDeque<OutputLine>,
}

/// A line that a command printed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputLine {
    /// When.
    pub time: f64,
    /// Where to.
    pub stream: Stream,
    /// Whether the command had ended before.
    pub late: bool,
    /// The line as the log shows it.
    pub text: String,
}

/// An output of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Lines {
    /// Takes in a line.
    pub fn push(&mut self, line: OutputLine) {
        if self.first.len() < FIRST {
            self.first.push(line);
            return;
        }
        if self.last.len() == LAST {
            self.last.pop_front();
            self.left_out += 1;
        }
        self.last.push_back(line);
    }

    /// Takes note of lines that came too fast for the log.
    pub const fn leave_out(&mut self, lines: u64) {
        self.left_out += lines;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept() {
        let mut lines = Lines::default();
        for number in 0..1500 {
            lines.push(OutputLine {
                time: 0.0,
                stream: Stream::Stdout,
                late: false,
                text: number.to_string(),
            });
        }
        lines.leave_out(10);
        let text = |line: Option<&OutputLine>| line.map(|line| line.text.clone());
        assert_eq!(text(lines.first.last()), Some("199".into()));
        assert_eq!(text(lines.last.front()), Some("700".into()));
        assert_eq!(text(lines.last.back()), Some("1499".into()));
        assert_eq!(lines.left_out, 510);
    }
}

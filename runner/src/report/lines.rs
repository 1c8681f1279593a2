//! The part of a long output that a report keeps: its beginning and its end.

use std::collections::VecDeque;

use serde::Serialize;
use vmtest_protocol::Stream;

use crate::event::Printed;

/// Lines that are kept of the beginning.
const FIRST: usize = 200;

/// Lines that are kept of the end.
const LAST: usize = 800;

/// What the commands in a machine printed.
#[derive(Debug, Default, Serialize)]
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
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputLine {
    /// When.
    pub time: f64,
    /// `stdout` or `stderr`.
    pub stream: &'static str,
    /// Whether the command had ended before.
    pub late: bool,
    /// The line as the log shows it.
    pub text: String,
}

impl Lines {
    /// Takes in what the log shows.
    pub(super) fn record(&mut self, time: f64, late: bool, printed: &Printed) {
        let line = match printed {
            Printed::Line { stream, text } => OutputLine {
                time,
                stream: match stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                },
                late,
                text: text.clone(),
            },
            Printed::LeftOut { lines } => {
                self.left_out += lines;
                return;
            }
        };
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_are_kept() {
        let mut lines = Lines::default();
        for number in 0..1500 {
            let printed = Printed::Line {
                stream: Stream::Stdout,
                text: number.to_string(),
            };
            lines.record(0.0, false, &printed);
        }
        lines.record(0.0, false, &Printed::LeftOut { lines: 10 });
        let text = |line: Option<&OutputLine>| line.map(|line| line.text.clone());
        assert_eq!(text(lines.first.last()), Some("199".into()));
        assert_eq!(text(lines.last.front()), Some("700".into()));
        assert_eq!(text(lines.last.back()), Some("1499".into()));
        assert_eq!(lines.left_out, 510);
    }
}

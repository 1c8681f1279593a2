//! Lines of consoles and journals as the page shows them: the whole of them lies in the files beside it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// Lines that are kept of the beginning and of the end of each console and journal.
const FIRST: usize = 300;
const LAST: usize = 1200;

/// Longest line in bytes; the rest is in the file.
const LONGEST: usize = 1000;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A serial console.
    Console,
    /// A journal of systemd.
    Journal,
}

/// A line of a console or a journal.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// When the runner saw it.
    pub time: f64,
    /// The unit of systemd that it comes from, or who says so (`kernel`).
    pub unit: Option<String>,
    /// How serious it is, from 0 (emergency) to 7 (debug), as for syslog(3).
    pub priority: Option<u8>,
    /// The line.
    pub text: String,
}

/// The beginning and the end of each console and journal.
#[derive(Debug, Default)]
pub struct Logs(BTreeMap<(String, Source), Kept>);

/// What is kept of one of them.
#[derive(Debug, Default)]
pub struct Kept {
    /// The first lines.
    pub first: Vec<LogLine>,
    /// How many lines after those are not kept.
    pub left_out: usize,
    /// The last lines.
    pub last: VecDeque<LogLine>,
}

impl Logs {
    /// Takes in a line.
    pub fn push(&mut self, machine: &str, source: Source, mut line: LogLine) {
        if line.text.len() > LONGEST {
            line.text.truncate(line.text.floor_char_boundary(LONGEST));
            line.text.push('…');
        }
        let key = (machine.to_owned(), source);
        let kept = self.0.entry(key).or_default();
        if kept.first.len() < FIRST {
            kept.first.push(line);
            return;
        }
        if kept.last.len() == LAST {
            kept.last.pop_front();
            kept.left_out += 1;
        }
        kept.last.push_back(line);
    }

    /// What is kept of each machine's console and journal.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Source, &Kept)> {
        let logs = self.0.iter();
        logs.map(|((machine, source), kept)| (machine.as_str(), *source, kept))
    }

    /// The last lines of one of them, oldest first.
    #[must_use]
    pub fn tail(&self, machine: &str, source: Source, lines: usize) -> Vec<&str> {
        let Some(kept) = self.0.get(&(machine.to_owned(), source)) else {
            return Vec::new();
        };
        let all = kept.first.iter().chain(&kept.last);
        let skipped = (kept.first.len() + kept.last.len()).saturating_sub(lines);
        all.skip(skipped).map(|line| line.text.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine {
            time: 0.0,
            unit: None,
            priority: None,
            text: text.to_owned(),
        }
    }

    #[test]
    fn beginning_and_end_are_kept() {
        let mut logs = Logs::default();
        for number in 0..2000 {
            logs.push("a", Source::Console, line(&number.to_string()));
        }
        logs.push("b", Source::Journal, line(&"é".repeat(LONGEST)));
        let kept: Vec<_> = logs.iter().collect();
        let (machine, source, console) = kept[0];
        assert_eq!((machine, source), ("a", Source::Console));
        assert_eq!(console.left_out, 500);
        assert_eq!(console.first[FIRST - 1].text, "299");
        assert_eq!(console.last[0].text, "800");
        assert_eq!(logs.tail("a", Source::Console, 2), ["1998", "1999"]);
        assert!(logs.tail("a", Source::Journal, 2).is_empty());
        assert!(kept[1].2.first[0].text.len() < LONGEST + 5);
    }
}

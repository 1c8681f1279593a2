//! Lines of consoles and journals as the page shows them: the whole of them lies in the files beside it.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// Lines that are kept of the beginning and of the end of each console and journal.
const FIRST: usize = 300;
const LAST: usize = 1200;

/// Lines before the one that is looked for.
const BEFORE: usize = 2;

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

impl Kept {
    fn len(&self) -> usize {
        self.first.len() + self.last.len()
    }

    fn text(&self) -> impl Iterator<Item = &str> {
        let lines = self.first.iter().chain(&self.last);
        lines.map(|line| line.text.as_str())
    }
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
        let skipped = kept.len().saturating_sub(lines);
        kept.text().skip(skipped).collect()
    }

    /// The last lines of a console, or those around the last one with this text: what a kernel says after its last words
    /// is the longer part, and tells less.
    #[must_use]
    pub fn around(&self, machine: &str, text: Option<&str>, lines: usize) -> Vec<&str> {
        let console = self.0.get(&(machine.to_owned(), Source::Console));
        let place = console.zip(text).and_then(|(console, text)| {
            let all = console.text().enumerate();
            let has_text = all.filter(|(_, line)| line.contains(text));
            has_text.last().map(|(place, _)| (console, place))
        });
        match place {
            Some((console, place)) => {
                let latest = console.len().saturating_sub(lines);
                let skipped = place.saturating_sub(BEFORE).min(latest);
                console.text().skip(skipped).take(lines).collect()
            }
            None => self.tail(machine, Source::Console, lines),
        }
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
        let around = |text| logs.around("a", text, 4);
        assert_eq!(around(Some("1500")), ["1498", "1499", "1500", "1501"]);
        assert_eq!(around(Some("1999")), ["1996", "1997", "1998", "1999"]);
        assert_eq!(around(Some("no such line")), around(None));
        assert!(logs.around("c", Some("1"), 4).is_empty());
        assert!(kept[1].2.first[0].text.len() < LONGEST + 5);
    }
}

//! Lines that come twice: a guest may show its journal on its console, and the agent sends the journal, too.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// How much later the second of a pair may come.
const TOGETHER: Duration = Duration::from_secs(60);

/// Lines of a machine that are remembered.
const MOST: usize = 2000;

/// Where a line comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Console,
    Journal,
}

/// Lines of which the other one has not come yet, by machine.
#[derive(Debug, Default)]
pub(super) struct Repeats(HashMap<String, VecDeque<Single>>);

#[derive(Debug)]
struct Single {
    source: Source,
    message: String,
    at: Duration,
}

impl Repeats {
    /// Whether a line is not the second of a pair. Each source may have many of the same.
    pub(super) fn is_new(
        &mut self,
        machine: &str,
        source: Source,
        line: &str,
        at: Duration,
    ) -> bool {
        let Some(message) = message(line) else {
            return true;
        };
        let singles = self.0.entry(machine.to_owned()).or_default();
        while singles.len() >= MOST
            || singles
                .front()
                .is_some_and(|single| single.at + TOGETHER < at)
        {
            singles.pop_front();
        }
        let first = singles
            .iter()
            .position(|single| single.source != source && single.message == message);
        match first {
            Some(first) => drop(singles.remove(first)),
            None => singles.push_back(Single {
                source,
                message: message.to_owned(),
                at,
            }),
        }
        first.is_none()
    }
}

/// What follows the time in `[   12.345678] systemd[1]: Started`; the times of a pair may differ. None for a line that
/// no journal has.
fn message(line: &str) -> Option<&str> {
    let (time, message) = line.strip_prefix('[')?.split_once("] ")?;
    let is_time = time
        .trim_start()
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    (is_time && !message.is_empty()).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Source::{Console, Journal};

    #[test]
    fn the_second_of_a_pair_is_not_new() {
        let mut repeats = Repeats::default();
        let table = [
            (Console, "[   12.345678] systemd[1]: Started A", 0, true),
            (Journal, "[   12.345999] systemd[1]: Started A", 1, false),
            // Two of one source are two, and so are those of the other.
            (Journal, "[   13.0] a[2]: again", 2, true),
            (Journal, "[   13.1] a[2]: again", 2, true),
            (Console, "[   13.2] a[2]: again", 3, false),
            (Console, "[   13.3] a[2]: again", 3, false),
            (Console, "[   13.4] a[2]: again", 3, true),
            // What the console alone has.
            (Console, "[  OK  ] Started A", 4, true),
            (Console, "login: ", 4, true),
            // Too late to be the other.
            (Console, "[   14.0] a[2]: rare", 10, true),
            (Journal, "[   99.0] a[2]: rare", 71, true),
        ];
        for (source, line, second, is_new) in table {
            let at = Duration::from_secs(second);
            assert_eq!(repeats.is_new("server", source, line, at), is_new, "{line}");
        }
        let other = repeats.is_new(
            "client",
            Console,
            "[   99.0] a[2]: rare",
            Duration::from_secs(71),
        );
        assert!(other, "another machine's line");
    }

    #[test]
    fn few_lines_are_remembered() {
        let mut repeats = Repeats::default();
        for number in 0..3 * MOST {
            repeats.is_new(
                "server",
                Console,
                &format!("[ 1.0] {number}"),
                Duration::ZERO,
            );
        }
        assert_eq!(repeats.0["server"].len(), MOST);
    }
}

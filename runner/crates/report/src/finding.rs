//! What the kernels of guests say that nobody should overlook, whatever the script makes of it.

use serde::{Deserialize, Serialize};

use crate::log::Source;

/// Something that was found on a console or in a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// The machine.
    pub machine: String,
    /// Where the line was seen first.
    pub source: Source,
    /// When.
    pub time: f64,
    /// The line.
    pub text: String,
    /// The pattern of `failOn` that the line has.
    pub pattern: Option<String>,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The kernel gave up: the machine has ended.
    Panic,
    /// The kernel found a fault in itself and went on.
    Oops,
    /// The kernel killed a process for its memory.
    OomKill,
    /// A pattern of the test's `failOn`: the test has failed.
    Pattern,
}

impl Kind {
    /// In words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Panic => "kernel panic",
            Self::Oops => "kernel oops",
            Self::OomKill => "process killed for lack of memory",
            Self::Pattern => "line that fails the test",
        }
    }
}

/// How a kernel's message begins that is a finding. The words are those of Linux 4.0 to 6.16: `panic()`, `oom_kill_process()`,
/// `die()` and `fault.c` of x86 and arm64, `bug.c`.
const KERNEL: &[(Kind, &str)] = &[
    (Kind::Panic, "Kernel panic - not syncing"),
    (Kind::OomKill, "Out of memory: Kill"),
    (Kind::OomKill, "Memory cgroup out of memory: Kill"),
    (Kind::Oops, "Oops: "),
    (Kind::Oops, "Internal error: Oops"),
    (Kind::Oops, "general protection fault, "),
    (Kind::Oops, "kernel BUG at "),
    (Kind::Oops, "BUG: kernel NULL pointer dereference"),
    (Kind::Oops, "BUG: unable to handle "),
];

/// What a line of a console is, if the kernel says it there.
#[must_use]
pub fn of_kernel(line: &str) -> Option<(Kind, &str)> {
    let message = message_of_kernel(line)?;
    let (kind, _) = KERNEL
        .iter()
        .find(|(_, words)| message.starts_with(words))?;
    Some((*kind, message))
}

/// What follows the time in a line such as `[   10.243047] Oops: 0002 [#1]`; on a console, other output may stand before it.
fn message_of_kernel(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some(start) = rest.find('[') {
        rest = &rest[start + 1..];
        let Some((time, message)) = rest.split_once("] ") else {
            continue;
        };
        let is_time = time.contains('.')
            && time
                .trim_start()
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_time {
            // Kernels with CONFIG_PRINTK_CALLER name the task or processor, too.
            let caller = message
                .strip_prefix('[')
                .and_then(|rest| rest.split_once("] "));
            return Some(caller.map_or(message, |(_, message)| message.trim_start()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_kernels() {
        let table = [
            (
                "[    9.1] Kernel panic - not syncing: sysrq triggered crash",
                Some(Kind::Panic),
            ),
            (
                "[  123.456789] BUG: kernel NULL pointer dereference, address: 0",
                Some(Kind::Oops),
            ),
            (
                "[    1.000000] Oops: 0002 [#1] PREEMPT SMP NOPTI",
                Some(Kind::Oops),
            ),
            (
                "[    1.000000] Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI",
                Some(Kind::Oops),
            ),
            (
                "[    1.000000] general protection fault, probably for non-canonical address",
                Some(Kind::Oops),
            ),
            (
                "[    1.000000] [ T1] kernel BUG at mm/slub.c:1!",
                Some(Kind::Oops),
            ),
            (
                "login: [   77.000001] Out of memory: Killed process 99 (tail)",
                Some(Kind::OomKill),
            ),
            (
                "[ 1.0] Memory cgroup out of memory: Killed process 9 (a)",
                Some(Kind::OomKill),
            ),
            // What somebody only speaks of.
            ("[    1.0] audit: Kernel panic - not syncing", None),
            ("echo Oops: 1", None),
            ("[drm] Oops: 1", None),
            ("[    1.0", None),
        ];
        for (line, kind) in table {
            assert_eq!(of_kernel(line).map(|(kind, _)| kind), kind, "{line}");
        }
        let line = "[    9.1] Oops: 0002 [#1]";
        assert_eq!(of_kernel(line), Some((Kind::Oops, "Oops: 0002 [#1]")));
    }
}

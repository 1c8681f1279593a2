//! What a report keeps of a command.

use std::time::Duration;

use vmtest_report::model::step::excerpt;
use vmtest_report::model::{CommandReport, Ending};
use vmtest_script::backend::{Command, Completed, ExitStatus, MachineError};

use crate::machine::console::clean::Cleaner;

/// Bytes that are kept of an output of a command that failed, and of one that did not.
const OUTPUT: usize = 64 << 10;
const QUIET_OUTPUT: usize = 8 << 10;

/// Bytes of a command itself.
const COMMAND: usize = 16 << 10;

/// The command that has ended in the machine of this name.
pub(super) fn report(
    machine: &str,
    command: &Command,
    result: &Result<Completed, MachineError>,
    duration: Duration,
) -> CommandReport {
    let (ending, outputs) = match result {
        Ok(completed) => (ending(completed.status), Some(completed)),
        Err(error) => (Ending::Lost(error.kind.to_string()), None),
    };
    let most = match ending {
        Ending::ExitCode(0) => QUIET_OUTPUT,
        _ => OUTPUT,
    };
    let text = |bytes: &Vec<u8>| text(bytes, most);
    CommandReport {
        command: excerpt(command.text(), COMMAND),
        machine: machine.to_owned(),
        ending,
        duration: duration.as_secs_f64(),
        stdout: outputs.map_or_else(String::new, |outputs| text(&outputs.stdout)),
        stderr: outputs.map_or_else(String::new, |outputs| text(&outputs.stderr)),
    }
}

const fn ending(status: ExitStatus) -> Ending {
    match status {
        ExitStatus::Code(code) => Ending::ExitCode(code),
        ExitStatus::Signal(signal) => Ending::Signal(signal),
        ExitStatus::TimedOut => Ending::TimedOut,
    }
}

/// The beginning and the end of an output, without what acts on terminals. An output may be large: only what is kept of it is
/// looked at.
fn text(bytes: &[u8], most: usize) -> String {
    let clean = |bytes: &[u8]| Cleaner::default().clean(bytes);
    let half = most / 2;
    if bytes.len() <= most {
        return clean(bytes);
    }
    let left_out = bytes.len() - 2 * half;
    let (first, last) = (clean(&bytes[..half]), clean(&bytes[bytes.len() - half..]));
    format!("{first}\n… ({left_out} bytes left out) …\n{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_outputs() {
        assert_eq!(text(b"\x1b[31mred\x1b[0m\n", 100), "red\n");
        assert_eq!(
            text(b"first 0123456789 last", 10),
            "first\n… (11 bytes left out) …\n last"
        );
        // Bytes that are no text, and a character that is cut in two.
        let shown = text("ab\u{e9}\u{e9}cd".as_bytes(), 6);
        assert!(shown.starts_with("ab") && shown.ends_with("cd"), "{shown}");
    }
}

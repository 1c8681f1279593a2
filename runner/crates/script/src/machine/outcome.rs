//! How a command went, as scripts and messages tell it.

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::arguments::text;
use crate::backend::{Completed, ExitStatus};
use crate::errors::add_note;

/// The exit status that a command killed for its time has in the shell.
const STATUS_TIMED_OUT: i32 = 124;
/// The exit status of a command killed by signal 0; others lie above it.
const STATUS_SIGNAL: i32 = 128;

/// How a command went, as scripts see it; with more for messages where the backend itself ran it.
pub(super) struct Outcome {
    pub(super) status: i32,
    pub(super) output: String,
    stderr: String,
    pub(super) timed_out: bool,
}

impl Outcome {
    pub(super) fn bare(status: i32, output: String) -> Self {
        Self {
            status,
            output,
            stderr: String::new(),
            timed_out: false,
        }
    }

    /// What an `execute` in Python has returned: a pair of status and output.
    pub(super) fn from_pair(pair: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Self> {
        let items: Vec<PyObjectRef> = pair.clone().try_into_value(vm)?;
        match items.as_slice() {
            [status, output] => Ok(Self::bare(
                status.clone().try_into_value(vm)?,
                text(output, vm)?,
            )),
            _ => Err(vm.new_type_error("a command must return a status and an output")),
        }
    }

    /// What to show of a try that was not the last.
    pub(super) fn seen(&self) -> String {
        let mut seen = if self.timed_out {
            "timed out".to_owned()
        } else {
            format!("exit code {}", self.status)
        };
        for (title, text) in [("output", &self.output), ("stderr", &self.stderr)] {
            if !text.trim().is_empty() {
                seen.push_str(&format!("\n{title}:\n{}", indent(text)));
            }
        }
        seen
    }

    /// Adds what it wrote to its standard error output to an exception.
    pub(super) fn add_stderr(&self, exception: &PyBaseExceptionRef, vm: &VirtualMachine) {
        if !self.stderr.trim().is_empty() {
            let note = format!("stderr:\n{}", indent(&self.stderr));
            // A note that cannot be added must not hide the failure itself.
            let _ = add_note(exception, note, vm);
        }
    }
}

impl From<Completed> for Outcome {
    fn from(completed: Completed) -> Self {
        let status = match completed.status {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => STATUS_SIGNAL + signal,
            ExitStatus::TimedOut => STATUS_TIMED_OUT,
        };
        Self {
            status,
            output: lossy(completed.stdout),
            stderr: lossy(completed.stderr),
            timed_out: completed.status == ExitStatus::TimedOut,
        }
    }
}

/// The bytes as text, with the replacement character for what is none. Text is not copied: it may be large.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Sets a text off from what is said around it.
pub(super) fn indent(text: &str) -> String {
    let lines: Vec<String> = text
        .trim_end()
        .lines()
        .map(|line| format!("  {line}"))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::lossy;

    #[test]
    fn bytes_become_text_without_a_copy() {
        let bytes = "é\n".repeat(1000).into_bytes();
        let place = bytes.as_ptr();
        let text = lossy(bytes);
        assert_eq!(text.as_ptr(), place);
        assert_eq!(lossy(vec![b'a', 0xff, b'b']), "a\u{fffd}b");
    }
}

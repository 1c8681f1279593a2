//! How a script failed, with a text for people.

use std::fmt;

use crate::event::StepId;

/// Why a test did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What sort of failure it is; it decides the outcome of the test.
    pub kind: FailureKind,
    /// The frames of the script that lead to the failure, outermost first, each with its source line; empty when the
    /// failure is not in a line of the script.
    pub traceback: String,
    /// The exception's name and message, and the standard error output of a failed command.
    pub message: String,
    /// What the script is called; empty when none was run.
    pub script: Box<str>,
    /// Line in the script, counted from 1, where it failed: the innermost frame's, or that of a syntax error.
    pub line: Option<usize>,
    /// Column in that line, counted from 1 in characters, where it is known.
    pub column: Option<usize>,
    /// The innermost step or subtest that it has ended.
    pub step: Option<StepId>,
}

/// The sorts of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// What the script demanded is not so: a failed `assert`, `succeed`, `wait_for_…` or `t.assert…`.
    Assertion,
    /// The script is wrong: it cannot be parsed, or it raised any other exception.
    Script,
    /// A machine died, panicked, or could not be reached.
    Machine,
    /// The runner stopped the test.
    Aborted,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.traceback.is_empty() {
            writeln!(f, "{}", self.traceback)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

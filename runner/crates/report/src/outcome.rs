//! How a test ends, and the exit codes that say so.
//!
//! The codes are a contract with whoever calls the runner: they do not change within a version of the manifest.

use serde::{Deserialize, Serialize};

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The script came to its end.
    Passed,
    /// The script found something that is not as it should be: an `assert`, a failed command, a wait that ran out.
    AssertionFailed,
    /// The script itself is wrong: a syntax error, or an exception that no check raised.
    ScriptError,
    /// A machine or the runner's surroundings failed: QEMU died, a kernel panicked, a disk is full.
    MachineFailed,
    /// The test's global time-out passed.
    TimedOut,
    /// The manifest is malformed or breaks a rule; no machine was started.
    BadManifest,
    /// The runner was told to stop by a signal.
    Interrupted,
}

impl Outcome {
    /// The runner's exit code. 2 is left to wrong usage of the command line.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::AssertionFailed => 1,
            Self::ScriptError => 3,
            Self::MachineFailed => 4,
            Self::TimedOut => 5,
            Self::BadManifest => 6,
            Self::Interrupted => 7,
        }
    }

    /// In words, for the last line of the log.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::AssertionFailed => "assertion failed",
            Self::ScriptError => "error in the test script",
            Self::MachineFailed => "machine failed",
            Self::TimedOut => "timed out",
            Self::BadManifest => "bad manifest",
            Self::Interrupted => "interrupted",
        }
    }
}

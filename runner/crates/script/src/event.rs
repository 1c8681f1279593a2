//! What a script does, as events in the order in which they happened.
//!
//! They carry facts; how they look on a console or in a report is decided where they are rendered.

use std::time::Duration;

use crate::failure::Failure;

/// Number of a step or subtest, unique in one run of a script and growing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u64);

/// One thing that happened in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptEvent {
    /// Something that takes time began, such as `waiting for unit hello.service`.
    StepStarted {
        /// The step.
        id: StepId,
        /// The step or subtest around it, on the same thread.
        parent: Option<StepId>,
        /// The machine it is about.
        machine: Option<String>,
        /// What is done, in the words of the NixOS test driver.
        message: String,
    },
    /// It is over.
    StepFinished {
        /// The step.
        id: StepId,
        /// The machine it is about.
        machine: Option<String>,
        /// The message it began with.
        message: String,
        /// How long it took.
        elapsed: Duration,
        /// Whether no exception left it.
        passed: bool,
    },
    /// A `with subtest("…")` block began.
    SubtestStarted {
        /// The subtest; it is a step's parent like a step.
        id: StepId,
        /// The step or subtest around it, on the same thread.
        parent: Option<StepId>,
        /// Its name.
        name: String,
    },
    /// It is over.
    SubtestFinished {
        /// The subtest.
        id: StepId,
        /// Its name.
        name: String,
        /// How long it took.
        elapsed: Duration,
        /// The message of the exception that left it; a [`Message`](Self::Message) has told the log already.
        error: Option<String>,
        /// The failure, if the script goes on after it.
        failure: Option<Failure>,
    },
    /// A line for the log.
    Message {
        /// How serious it is.
        level: Level,
        /// The machine it is about.
        machine: Option<String>,
        /// The text, perhaps of several lines.
        text: String,
    },
    /// A line that the script itself wrote.
    Print {
        /// Where to.
        stream: Stream,
        /// The line without its end.
        text: String,
    },
}

/// How serious a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// Hidden unless asked for.
    Debug,
    /// Normal.
    Info,
    /// Something to look at.
    Warning,
    /// Something that went wrong.
    Error,
}

/// Which of the script's outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// `sys.stdout`
    Stdout,
    /// `sys.stderr`
    Stderr,
}

//! `report.json`: the result of a test for programs.
//!
//! Times are seconds since the runner's start. A field that is not known is null.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use vmtest_script::event::ScriptEvent;
use vmtest_script::failure::{Failure, FailureKind};

use crate::event::{Event, Stamped};
use crate::machine::lifecycle::{End, State};
use crate::outcome::Outcome;

/// Version of the report's form.
pub const VERSION: u32 = 1;

/// The result of a test.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// [`VERSION`].
    pub version: u32,
    /// The test's name.
    pub name: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The runner's exit code.
    pub exit_code: u8,
    /// How long it took, from the runner's start.
    pub duration: f64,
    /// What executed the machines' instructions, and why.
    pub acceleration: Option<String>,
    /// Why it did not pass.
    pub failure: Option<FailureReport>,
    /// The machines by name.
    pub machines: BTreeMap<String, MachineReport>,
    /// Subtests and steps, in the order of their ends.
    pub steps: Vec<Step>,
}

/// Why a test did not pass.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureReport {
    /// The message, without the traceback.
    pub message: String,
    /// The frames of the script, outermost first.
    pub traceback: String,
    /// Line in the script, from 1.
    pub line: Option<usize>,
    /// Column in the line, from 1.
    pub column: Option<usize>,
}

/// What became of a machine.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineReport {
    /// Its boots, in order.
    pub boots: Vec<Boot>,
    /// How it ended, in words; null if it ran to the test's end.
    pub end: Option<String>,
    /// What it said on its serial console, relative to the report.
    pub console_log: String,
    /// Its journal, relative to the report; empty for a guest without one.
    pub journal_log: String,
}

/// One boot of a machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// When QEMU was started, or the guest reset.
    pub power_on: f64,
    /// When its agent said hello.
    pub agent: Option<f64>,
    /// When the guest was up: the first command could be run.
    pub up: Option<f64>,
}

/// A step of the script, or a subtest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// The machine it is about.
    pub machine: Option<String>,
    /// What was done; a subtest's name after `subtest: `.
    pub message: String,
    /// When it began.
    pub start: f64,
    /// How long it took.
    pub duration: f64,
    /// Whether it succeeded.
    pub passed: bool,
}

impl Report {
    /// An empty report on the machines of these names.
    #[must_use]
    pub fn new<'a>(name: &str, machines: impl IntoIterator<Item = &'a str>) -> Self {
        let report = |name: &str| MachineReport {
            console_log: format!("machines/{name}/console.log"),
            journal_log: format!("machines/{name}/journal.log"),
            ..MachineReport::default()
        };
        Self {
            version: VERSION,
            name: name.to_owned(),
            outcome: Outcome::MachineFailed,
            exit_code: Outcome::MachineFailed.exit_code(),
            duration: 0.0,
            acceleration: None,
            failure: None,
            machines: machines
                .into_iter()
                .map(|name| (name.to_owned(), report(name)))
                .collect(),
            steps: Vec::new(),
        }
    }

    /// Takes in one event.
    pub fn record(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::Machine { machine, state } => {
                if let Some(report) = self.machines.get_mut(machine) {
                    report.record(stamped.at, state);
                }
            }
            Event::Agent { machine } => {
                let boots = self
                    .machines
                    .get_mut(machine)
                    .map(|report| &mut report.boots);
                if let Some(boot) = boots.and_then(|boots| boots.last_mut()) {
                    boot.agent.get_or_insert(stamped.at.as_secs_f64());
                }
            }
            Event::Script(ScriptEvent::StepFinished {
                machine,
                message,
                elapsed,
                passed,
                ..
            }) => {
                self.step(
                    stamped.at,
                    machine.clone(),
                    message.clone(),
                    *elapsed,
                    *passed,
                );
            }
            Event::Script(ScriptEvent::SubtestFinished {
                name,
                elapsed,
                error,
                ..
            }) => {
                self.step(
                    stamped.at,
                    None,
                    format!("subtest: {name}"),
                    *elapsed,
                    error.is_none(),
                );
            }
            _ => {}
        }
    }

    fn step(
        &mut self,
        end: Duration,
        machine: Option<String>,
        message: String,
        took: Duration,
        passed: bool,
    ) {
        let start = end.saturating_sub(took).as_secs_f64();
        self.steps.push(Step {
            machine,
            message,
            start,
            duration: took.as_secs_f64(),
            passed,
        });
    }

    /// Sets how the test ended.
    pub fn finish(&mut self, outcome: Outcome, duration: Duration) {
        self.outcome = outcome;
        self.exit_code = outcome.exit_code();
        self.duration = duration.as_secs_f64();
    }
}

impl MachineReport {
    fn record(&mut self, at: Duration, state: &State) {
        let at = at.as_secs_f64();
        match state {
            State::Booting { .. } => {
                self.end = None;
                self.boots.push(Boot {
                    power_on: at,
                    agent: None,
                    up: None,
                });
            }
            State::Ready { .. } => {
                if let Some(boot) = self.boots.last_mut() {
                    boot.up.get_or_insert(at);
                }
            }
            State::Off(Some(end)) => self.end = Some(describe(end)),
            State::Off(None) | State::Ending(_) => {}
        }
    }
}

fn describe(end: &End) -> String {
    match end {
        End::PoweredOff => "powered off".to_owned(),
        End::Reset => "reset".to_owned(),
        End::Killed => "ended by the test".to_owned(),
        End::Panicked(message) => message.clone(),
        End::Died(status) => format!("QEMU ended unexpectedly: {status}"),
    }
}

impl From<&Failure> for FailureReport {
    fn from(failure: &Failure) -> Self {
        Self {
            message: failure.message.clone(),
            traceback: failure.traceback.clone(),
            line: failure.line,
            column: failure.column,
        }
    }
}

impl From<FailureKind> for Outcome {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Assertion => Self::AssertionFailed,
            FailureKind::Script => Self::ScriptError,
            FailureKind::Machine => Self::MachineFailed,
            FailureKind::Aborted => Self::Interrupted,
        }
    }
}

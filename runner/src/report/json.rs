//! `report.json`: the result of a test for programs.
//!
//! Times are seconds since the runner's start. A field that is not known is null.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use vmtest_script::event::ScriptEvent;
use vmtest_script::failure::{Failure, FailureKind};

use super::{Lines, SnapshotReport};
use crate::event::{Event, Stamped};
use crate::machine::lifecycle::{End, State};
use crate::machine::{CONSOLE_LOG, JOURNAL_LOG, LOGS, QEMU_LOG};
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
    /// The snapshot that the machines were to go on from; null if there is none.
    pub snapshot: Option<SnapshotReport>,
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
    /// What it said on its serial console: a file beside the report, if there is one.
    pub console_log: Option<String>,
    /// Its journal, likewise; null for a guest that has none.
    pub journal_log: Option<String>,
    /// What QEMU itself said, likewise.
    pub qemu_log: Option<String>,
    /// What its commands printed.
    pub output: Lines,
}

/// One boot of a machine.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Boot {
    /// Whether it went on from where it was saved, and did not boot.
    pub restored: bool,
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

impl Step {
    /// The step or subtest that has ended at a time since the test's beginning, if that is what the script says.
    fn ended_by(event: &ScriptEvent, end: Duration) -> Option<Self> {
        let (machine, message, took, passed) = match event {
            ScriptEvent::StepFinished {
                machine,
                message,
                elapsed,
                passed,
                ..
            } => (machine.clone(), message.clone(), *elapsed, *passed),
            ScriptEvent::SubtestFinished {
                name,
                elapsed,
                error,
                ..
            } => (None, format!("subtest: {name}"), *elapsed, error.is_none()),
            _ => return None,
        };
        Some(Self {
            machine,
            message,
            start: end.saturating_sub(took).as_secs_f64(),
            duration: took.as_secs_f64(),
            passed,
        })
    }
}

impl Report {
    /// An empty report on the machines of these names.
    #[must_use]
    pub fn new<'a>(name: &str, machines: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            version: VERSION,
            name: name.to_owned(),
            outcome: Outcome::MachineFailed,
            exit_code: Outcome::MachineFailed.exit_code(),
            duration: 0.0,
            acceleration: None,
            snapshot: None,
            failure: None,
            machines: machines
                .into_iter()
                .map(|name| (name.to_owned(), MachineReport::default()))
                .collect(),
            steps: Vec::new(),
        }
    }

    /// Names the logs that are there in the folder of the report.
    pub fn find_logs(&mut self, out: &Path) {
        for (name, machine) in &mut self.machines {
            let find = |file: &str| {
                let path = format!("{LOGS}/{name}/{file}");
                out.join(&path).exists().then_some(path)
            };
            machine.console_log = find(CONSOLE_LOG);
            machine.journal_log = find(JOURNAL_LOG);
            machine.qemu_log = find(QEMU_LOG);
        }
    }

    /// Takes in one event.
    pub fn record(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::Machine { machine, state } => {
                // A script can make more than the manifest has.
                let report = self.machines.entry(machine.clone()).or_default();
                report.record(stamped.at, state);
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
            Event::Restored { machine } => {
                let report = self.machines.get_mut(machine);
                if let Some(boot) = report.and_then(|report| report.boots.last_mut()) {
                    boot.restored = true;
                }
            }
            Event::Snapshot { from } => {
                self.snapshot = Some(SnapshotReport::new(from));
            }
            Event::Unrestored { machine, reason } => {
                if let Some(snapshot) = &mut self.snapshot {
                    snapshot.note(machine.as_deref(), reason);
                }
            }
            Event::Output {
                machine,
                late,
                printed,
            } => {
                if let Some(report) = self.machines.get_mut(machine) {
                    report
                        .output
                        .record(stamped.at.as_secs_f64(), *late, printed);
                }
            }
            Event::Script(event) => self.steps.extend(Step::ended_by(event, stamped.at)),
            _ => {}
        }
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
                    restored: false,
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
            State::Off(None) | State::Lost { .. } | State::Ending(_) => {}
        }
    }
}

fn describe(end: &End) -> String {
    match end {
        End::PoweredOff => "powered off".to_owned(),
        End::Reset => "reset".to_owned(),
        End::Killed => "ended by the test".to_owned(),
        End::Discarded => "set back to a snapshot by the test".to_owned(),
        End::Panicked(message) => message.clone(),
        End::Died(status) => format!("QEMU ended unexpectedly: {status}"),
        End::Broken(reason) => reason.clone(),
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

#[cfg(test)]
mod tests {
    use std::fs;

    use vmtest_protocol::Stream;
    use vmtest_script::event::{Level, StepId};

    use super::*;
    use crate::event::Printed;

    fn machine(name: &str, state: State) -> Event {
        Event::Machine {
            machine: name.to_owned(),
            state,
        }
    }

    fn agent(name: &str) -> Event {
        Event::Agent {
            machine: name.to_owned(),
        }
    }

    fn step(id: u64, machine: Option<&str>, message: &str, seconds: u64, passed: bool) -> Event {
        Event::Script(ScriptEvent::StepFinished {
            id: StepId(id),
            machine: machine.map(str::to_owned),
            message: message.to_owned(),
            elapsed: Duration::from_secs(seconds),
            passed,
        })
    }

    fn printed(machine: &str, stream: Stream, text: &str) -> Event {
        Event::Output {
            machine: machine.to_owned(),
            late: false,
            printed: Printed::Line {
                stream,
                text: text.to_owned(),
            },
        }
    }

    fn subtest(id: u64, name: &str, seconds: u64, error: Option<&str>) -> Event {
        Event::Script(ScriptEvent::SubtestFinished {
            id: StepId(id),
            name: name.to_owned(),
            elapsed: Duration::from_secs(seconds),
            error: error.map(str::to_owned),
        })
    }

    /// A test of three machines: one reboots and powers off, one dies, one is never started. One event a second.
    fn report() -> Report {
        let (booting, ready) = (
            State::Booting { allow_reboot: true },
            State::Ready { allow_reboot: true },
        );
        let died = End::Died("signal: 9 (SIGKILL)".into());
        let events = [
            Event::Runner(Level::Info, "machines run on KVM".into()),
            machine("server", booting.clone()),
            agent("server"),
            machine("server", ready.clone()),
            step(1, Some("server"), "must succeed: true", 1, true),
            machine("client", booting.clone()),
            machine("server", booting),
            agent("server"),
            // A repeated hello does not move the time of the first.
            agent("server"),
            machine("server", ready),
            machine("client", State::Off(Some(died))),
            step(3, Some("client"), "waiting for unit x", 5, false),
            subtest(
                2,
                "client reaches server",
                6,
                Some("QEMU ended unexpectedly"),
            ),
            subtest(4, "nothing", 1, None),
            printed("server", Stream::Stdout, "total 0"),
            printed("server", Stream::Stderr, "no such file"),
            machine("server", State::Ending(End::PoweredOff)),
            machine("server", State::Off(Some(End::PoweredOff))),
            machine(
                "made by the script",
                State::Booting {
                    allow_reboot: false,
                },
            ),
        ];
        let mut report = Report::new("story", ["server", "client", "spare"]);
        for (second, event) in (0..).zip(events) {
            report.record(&Stamped {
                at: Duration::from_secs(second),
                event,
            });
        }
        report
    }

    /// The names of the fields are what programs rely on: a change of this snapshot is a change of [`VERSION`].
    #[test]
    fn a_failed_test() {
        let mut report = report();
        report.acceleration = Some("machines run on KVM: a probe guest ran on it".into());
        report.failure = Some(FailureReport::from(&Failure {
            kind: FailureKind::Machine,
            message: "client: QEMU ended unexpectedly (signal: 9 (SIGKILL))".into(),
            traceback: "Traceback (most recent call last):\n".into(),
            line: Some(7),
            column: None,
        }));
        report.finish(Outcome::MachineFailed, Duration::from_millis(17_500));
        // The machine that was never started has no logs.
        let out = tempfile::tempdir().expect("folder");
        for path in [
            "server/console.log",
            "server/journal.log",
            "client/qemu.log",
        ] {
            let path = out.path().join(LOGS).join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
            fs::write(path, "").expect("file");
        }
        report.find_logs(out.path());
        insta::assert_snapshot!(serde_json::to_string_pretty(&report).expect("JSON"));
    }

    /// A runner that breaks down before it knows better has not passed a test.
    #[test]
    fn an_unfinished_report_is_no_success() {
        let report = Report::new("early", []);
        insta::assert_snapshot!(serde_json::to_string(&report).expect("JSON"), @r#"{"version":1,"name":"early","outcome":"machine-failed","exitCode":4,"duration":0.0,"acceleration":null,"snapshot":null,"failure":null,"machines":{},"steps":[]}"#);
    }

    #[test]
    fn outcomes_have_their_names_and_codes() {
        let table = [
            (Outcome::Passed, "passed", 0),
            (Outcome::AssertionFailed, "assertion-failed", 1),
            (Outcome::ScriptError, "script-error", 3),
            (Outcome::MachineFailed, "machine-failed", 4),
            (Outcome::TimedOut, "timed-out", 5),
            (Outcome::BadManifest, "bad-manifest", 6),
            (Outcome::Interrupted, "interrupted", 7),
        ];
        for (outcome, name, code) in table {
            let mut report = Report::new("t", []);
            report.finish(outcome, Duration::ZERO);
            let value = serde_json::to_value(&report).expect("JSON");
            assert_eq!(
                (&value["outcome"], &value["exitCode"]),
                (&name.into(), &code.into())
            );
        }
    }

    #[test]
    fn ends_are_told_in_words() {
        let table = [
            (End::PoweredOff, "powered off"),
            (End::Reset, "reset"),
            (End::Killed, "ended by the test"),
            (End::Panicked("Kernel panic - x".into()), "Kernel panic - x"),
            (
                End::Died("exit status: 1".into()),
                "QEMU ended unexpectedly: exit status: 1",
            ),
        ];
        for (end, words) in table {
            assert_eq!(describe(&end), words);
        }
    }
}

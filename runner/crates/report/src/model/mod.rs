//! `report.json`: the result of a test for programs.
//!
//! Times are seconds since the runner's start. A field that is not known is null. `schema.json` beside this crate describes
//! the form.
//!
//! - [`step`]: what the script did;
//! - [`machine`]: what became of a machine;
//! - [`lines`]: what its commands printed;
//! - [`snapshot`]: what became of a snapshot.

pub mod lines;
pub mod machine;
pub mod snapshot;
pub mod step;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::Finding;
use crate::outcome::Outcome;
pub use lines::{Lines, OutputLine};
pub use machine::{Boot, FailedUnit, MachineReport};
pub use snapshot::SnapshotReport;
pub use step::{CommandReport, Ending, Step};

/// Version of the report's form. Fields may be added within one; it changes when one goes, or means something else.
pub const VERSION: u32 = 1;

/// The result of a test.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    /// The scripts of the test.
    pub scripts: Vec<ScriptText>,
    /// Why it did not pass.
    pub failure: Option<FailureReport>,
    /// The failures of subtests after which the script went on, in their order; only with `keepGoing`.
    pub failed_subtests: Vec<FailureReport>,
    /// What was found on consoles and in journals.
    pub findings: Vec<Finding>,
    /// The machines by name.
    pub machines: BTreeMap<String, MachineReport>,
    /// What has passed through the test's networks, by the number of the VLAN.
    pub vlans: BTreeMap<u16, Traffic>,
    /// Subtests and steps, in the order of their ends.
    pub steps: Vec<Step>,
    /// Pictures of screens that the script took.
    pub screenshots: Vec<Screenshot>,
}

/// A script of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptText {
    /// What tracebacks call it: `testScript` or `prepare`.
    pub name: String,
    /// The program.
    pub text: String,
}

/// Why a test did not pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureReport {
    /// The message, without the traceback.
    pub message: String,
    /// The frames of the script, outermost first.
    pub traceback: String,
    /// The script that the line is in.
    pub script: Option<String>,
    /// Line in the script, from 1.
    pub line: Option<usize>,
    /// Column in the line, from 1.
    pub column: Option<usize>,
    /// The step that failed, by its number.
    pub step: Option<u64>,
    /// The subtest that failed, by its number; null outside of all.
    pub subtest: Option<u64>,
}

/// What has passed through a VLAN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// Frames that machines have sent.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Frames that did not reach a machine, since it takes them too slowly.
    pub dropped: u64,
}

/// A picture of a machine's screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Screenshot {
    /// The machine.
    pub machine: String,
    /// When.
    pub time: f64,
    /// The file, beside the report.
    pub file: String,
}

impl Report {
    /// An empty report on the machines of these names. A runner that breaks down before it knows better has not passed a test.
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
            scripts: Vec::new(),
            failure: None,
            failed_subtests: Vec::new(),
            findings: Vec::new(),
            machines: machines
                .into_iter()
                .map(|name| (name.to_owned(), MachineReport::default()))
                .collect(),
            vlans: BTreeMap::new(),
            steps: Vec::new(),
            screenshots: Vec::new(),
        }
    }

    /// Sets how the test ended.
    pub fn finish(&mut self, outcome: Outcome, duration: Duration) {
        self.outcome = outcome;
        self.exit_code = outcome.exit_code();
        self.duration = duration.as_secs_f64();
    }

    /// The step or subtest of this number.
    #[must_use]
    pub fn step(&self, id: u64) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// The script of this name.
    #[must_use]
    pub fn script(&self, name: &str) -> Option<&ScriptText> {
        self.scripts.iter().find(|script| script.name == name)
    }

    /// All failures: of subtests after which the script went on, and the one that ended it, which may be one of them.
    pub fn failures(&self) -> impl Iterator<Item = &FailureReport> {
        let last = self.failure.iter();
        let last = last.filter(|failure| !self.failed_subtests.contains(failure));
        self.failed_subtests.iter().chain(last)
    }

    /// The names of the subtests around a step and of itself, if it is one, outermost first.
    #[must_use]
    pub fn subtests_around(&self, id: u64) -> Vec<&str> {
        let mut names = Vec::new();
        let mut next = Some(id);
        while let Some(step) = next.and_then(|id| self.step(id)) {
            names.extend(step.subtest.as_deref());
            // Numbers grow: a parent has a smaller one.
            next = step.parent.filter(|parent| *parent < step.id);
        }
        names.reverse();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn steps_lie_in_subtests() {
        let mut report = Report::new("t", []);
        let step = |id, parent, subtest: Option<&str>| Step {
            id,
            parent,
            subtest: subtest.map(str::to_owned),
            ..Step::default()
        };
        report.steps = vec![
            step(4, Some(3), None),
            step(3, Some(2), Some("inner")),
            step(2, Some(1), Some("outer")),
            step(1, None, None),
        ];
        assert_eq!(report.subtests_around(4), ["outer", "inner"]);
        assert!(report.subtests_around(1).is_empty());
        assert!(report.subtests_around(99).is_empty());
    }
}

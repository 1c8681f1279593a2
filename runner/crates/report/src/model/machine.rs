//! What became of a machine.

use serde::{Deserialize, Serialize};

use super::lines::Lines;

/// What became of a machine.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MachineReport {
    /// Its boots, in order.
    pub boots: Vec<Boot>,
    /// How it ended, in words; null if it ran to the test's end.
    pub end: Option<String>,
    /// Whether that is a failure: nobody wanted it to end so.
    pub failed: bool,
    /// The units of its systemd that had failed when the script did; empty where nobody asked it.
    pub failed_units: Vec<FailedUnit>,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// When the machine was off again, or reset; null if it ran to the test's end.
    pub off: Option<f64>,
}

/// A unit of systemd that has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedUnit {
    /// Its name.
    pub name: String,
    /// The last lines of its journal.
    pub journal: Vec<String>,
}

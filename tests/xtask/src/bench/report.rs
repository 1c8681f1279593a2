//! What a test leaves: the runner's report.json, and the bench.json of scripts that measure by themselves.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::measurement::Unit;

/// As far as it is needed; times are seconds since the runner's start.
#[derive(Debug, Deserialize)]
pub(super) struct Report {
    version: u32,
    pub(super) duration: f64,
    machines: BTreeMap<String, Machine>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
struct Machine {
    boots: Vec<Boot>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Boot {
    power_on: f64,
    agent: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct Step {
    message: String,
    start: f64,
    duration: f64,
}

/// What a measuring script has found.
#[derive(Debug, Deserialize)]
pub(super) struct Scripted {
    pub(super) measurements: Vec<Samples>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Samples {
    pub(super) name: String,
    pub(super) unit: Unit,
    pub(super) samples: Vec<f64>,
}

impl Report {
    /// The version of the report that is understood here.
    const VERSION: u32 = 1;

    pub(super) fn read(result: &Path) -> Result<Self> {
        let report: Self = read(&result.join("report.json"))?;
        ensure!(
            report.version == Self::VERSION,
            "the report has version {}, not {}",
            report.version,
            Self::VERSION
        );
        Ok(report)
    }

    /// From the runner's start to that of the first machine.
    pub(super) fn vm_build(&self) -> Result<f64> {
        Ok(self.first_boot()?.power_on)
    }

    /// The parts of a test that starts a machine and waits for a unit, in order; together they are `duration`.
    pub(super) fn parts(&self, unit: &str) -> Result<[(&'static str, f64); 5]> {
        let boot = self.first_boot()?;
        let agent = boot.agent.context("the agent has never said hello")?;
        let reached = self.end_of(&format!("waiting for unit {unit}"))?;
        let script = self.end_of("run the VM test script")?;
        Ok([
            ("VM build", boot.power_on),
            ("power-on to agent", agent - boot.power_on),
            ("agent to multi-user", reached - agent),
            ("script after that", script - reached),
            ("teardown", self.duration - script),
        ])
    }

    fn first_boot(&self) -> Result<&Boot> {
        let boots = self.machines.values().flat_map(|machine| &machine.boots);
        boots
            .min_by(|a, b| a.power_on.total_cmp(&b.power_on))
            .context("no machine was started")
    }

    fn end_of(&self, message: &str) -> Result<f64> {
        let step = self.steps.iter().find(|step| step.message == message);
        let step = step.with_context(|| format!("the report has no step `{message}`"))?;
        Ok(step.start + step.duration)
    }
}

impl Scripted {
    pub(super) fn read(result: &Path) -> Result<Self> {
        read(&result.join("bench.json"))
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot understand {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{
        "version": 1, "name": "bench-trivial", "outcome": "passed", "exitCode": 0, "duration": 15.0,
        "machines": { "machine": { "boots": [ { "restored": false, "powerOn": 0.5, "agent": 3.5, "up": 12.0 } ], "end": null } },
        "steps": [
            { "machine": "machine", "message": "waiting for unit multi-user.target", "start": 0.5, "duration": 13.5, "passed": true },
            { "machine": null, "message": "run the VM test script", "start": 0.4, "duration": 13.85, "passed": true }
        ]
    }"#;

    fn report(text: &str) -> Result<Report> {
        let result = tempfile::tempdir().unwrap();
        fs::write(result.path().join("report.json"), text).unwrap();
        Report::read(result.path())
    }

    #[test]
    fn the_parts_are_the_whole() {
        let report = report(REPORT).unwrap();
        let parts = report.parts("multi-user.target").unwrap();
        assert_eq!(parts[0], ("VM build", 0.5));
        assert_eq!(parts[1], ("power-on to agent", 3.0));
        assert_eq!(parts[2], ("agent to multi-user", 10.5));
        assert_eq!(parts[4], ("teardown", 0.75));
        let sum: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
        assert!((sum - report.duration).abs() < 1e-9);
    }

    #[test]
    fn what_a_report_lacks_is_named() {
        let table = [
            (
                REPORT.replace("\"version\": 1", "\"version\": 2"),
                "version 2",
            ),
            (REPORT.replace(": 3.5", ": null"), "never said hello"),
            (
                REPORT.replace("run the VM", "run a"),
                "no step `run the VM test script`",
            ),
            (
                REPORT.replace("\"boots\": [", "\"boots\": [], \"x\": ["),
                "no machine",
            ),
            ("{".to_owned(), "cannot understand"),
        ];
        for (text, expected) in table {
            let parts = report(&text).and_then(|report| report.parts("multi-user.target"));
            let error = format!("{:#}", parts.unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_script_cannot_invent_units() {
        let result = tempfile::tempdir().unwrap();
        let text = |unit| {
            format!(r#"{{"measurements": [{{"name": "x", "unit": "{unit}", "samples": [1]}}]}}"#)
        };
        let path = result.path().join("bench.json");
        fs::write(&path, text("MiB/s")).unwrap();
        let scripted = Scripted::read(result.path()).unwrap();
        assert_eq!(scripted.measurements[0].unit, Unit::MibPerSecond);
        fs::write(&path, text("apples")).unwrap();
        assert!(Scripted::read(result.path()).is_err());
    }
}

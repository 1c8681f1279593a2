//! The JSON: all figures of a run, and what they were taken on.

use std::fs;

use serde::{Deserialize, Serialize};

use super::measurement::{Measurement, Measurements, Summary, ratio};
use super::scripted::FLEETS;

/// Version of the format.
const VERSION: u32 = 1;

/// A run of `cargo xtask bench`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(super) version: u32,
    pub(super) about: About,
    pub(super) measurements: Vec<Measurement>,
    pub(super) ratios: Vec<Ratio>,
    /// Benchmarks that gave no figures or not all, and why.
    pub(crate) failures: Vec<String>,
}

/// What the figures were taken on.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct About {
    /// How many rounds there were.
    pub(super) repeat: u32,
    pub(super) processors: usize,
    pub(super) processor: String,
    pub(super) memory_mib: u64,
    pub(super) host_kernel: String,
    /// What runs the machines' instructions.
    pub(super) acceleration: String,
    /// Of the project.
    pub(super) commit: Option<String>,
}

/// How many times as much one figure is as another.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    /// Test of the figure.
    pub(super) of: String,
    /// Test of what it is compared with.
    pub(super) to: String,
    /// The figure of both.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) summary: Summary,
}

impl About {
    /// This computer.
    pub(crate) fn here(repeat: u32, commit: Option<String>) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self {
            repeat,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            processor: value(&read("/proc/cpuinfo"), "model name"),
            memory_mib: value(&read("/proc/meminfo"), "MemTotal")
                .split(' ')
                .next()
                .and_then(|kib| kib.parse::<u64>().ok())
                .map_or(0, |kib| kib / 1024),
            host_kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            // Whatever the computer has: so the tests say.
            acceleration: "QEMU by emulation (TCG)".to_owned(),
            commit,
        }
    }
}

/// What stands after `key:` in a file of the kernel; empty if nothing does.
fn value(text: &str, key: &str) -> String {
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(name, _)| name.trim() == key);
    found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

impl Document {
    pub(crate) fn new(about: About, found: Measurements, failures: Vec<String>) -> Self {
        let measurements = found.summarised();
        Self {
            version: VERSION,
            about,
            ratios: ratios(&measurements),
            measurements,
            failures,
        }
    }

    /// The median of a figure.
    pub(super) fn median(&self, test: &str, name: &str) -> Option<f64> {
        Some(find(&self.measurements, test, name)?.summary.median)
    }
}

pub(super) fn find<'a>(all: &'a [Measurement], test: &str, name: &str) -> Option<&'a Measurement> {
    let mut all = all.iter();
    all.find(|measurement| measurement.test == test && measurement.name == name)
}

/// Those of figures that are taken in turns.
fn ratios(measurements: &[Measurement]) -> Vec<Ratio> {
    let mut pairs = vec![
        ("trivial".to_owned(), "restored".to_owned(), "total"),
        ("trivial".to_owned(), "edited".to_owned(), "total"),
        ("peer".to_owned(), "trivial".to_owned(), "total"),
        ("peer".to_owned(), "restored".to_owned(), "total"),
    ];
    pairs.extend(FLEETS.map(|count| {
        (
            format!("machines-{count}-booted"),
            format!("machines-{count}-restored"),
            "all have answered",
        )
    }));
    let ratios = pairs.into_iter().filter_map(|(of, to, name)| {
        let find = |test| find(measurements, test, name);
        Some(Ratio {
            summary: ratio(find(&of)?, find(&to)?)?,
            name: name.to_owned(),
            of,
            to,
        })
    });
    ratios.collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::measurement::Unit;
    use super::super::trivial::PARTS;
    use super::*;

    pub(in super::super) fn document() -> Document {
        let mut found = Measurements::default();
        let seconds = Unit::Seconds;
        for (round, booted, restored) in [(1, 12.0, 2.0), (2, 15.0, 1.5), (3, 12.5, 2.5)] {
            found.begin_round(round);
            found.add("trivial", "total", seconds, &[booted]);
            found.add("restored", "total", seconds, &[restored]);
        }
        found.add("trivial", PARTS[0], seconds, &[0.25]);
        found.add("trivial", "agent to multi-user", seconds, &[9.0]);
        found.add("command", "succeed(\"true\")", Unit::Milliseconds, &[6.5]);
        found.add("waits", "wait_for_file", Unit::Milliseconds, &[4.0]);
        found.add("machines-1-booted", "all have answered", seconds, &[4.0]);
        found.add("machines-24-booted", "all have answered", seconds, &[48.0]);
        found.add("machines-24-restored", "all have answered", seconds, &[8.0]);
        let about = About {
            repeat: 3,
            processors: 2,
            processor: "A & B".to_owned(),
            memory_mib: 24105,
            host_kernel: "6.12".to_owned(),
            acceleration: "QEMU by emulation (TCG)".to_owned(),
            commit: Some("abc1234".to_owned()),
        };
        Document::new(
            about,
            found,
            vec!["network, round 1: the cable is out".to_owned()],
        )
    }

    #[test]
    fn ratios_are_of_what_is_there() {
        let ratios = document().ratios;
        let shown: Vec<_> = ratios
            .iter()
            .map(|ratio| (&*ratio.of, &*ratio.to, ratio.summary.median))
            .collect();
        let expected = [
            ("trivial", "restored", 6.0),
            ("machines-24-booted", "machines-24-restored", 6.0),
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_json_says_all_and_is_read_back() {
        let document = document();
        let text = serde_json::to_string(&document).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let total = &json["measurements"][0];
        assert_eq!(
            total["takenBy"],
            "nix build --file tests/bench/tests.nix trivial"
        );
        assert_eq!(
            (&total["median"], &total["unit"]),
            (&12.5.into(), &"s".into())
        );
        assert_eq!((&total["min"], &total["max"]), (&12.0.into(), &15.0.into()));
        assert_eq!(total["upstream"]["low"], 25.8);
        let read: Document = serde_json::from_str(&text).unwrap();
        assert_eq!(read.measurements, document.measurements);
        assert_eq!(read.ratios, document.ratios);
    }

    #[test]
    fn files_of_the_kernel() {
        let text = "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n";
        assert_eq!(value(text, "model name"), "Some CPU @ 2 GHz");
        assert_eq!(value(text, "flags"), "");
        assert!(About::here(1, None).memory_mib > 0);
    }
}

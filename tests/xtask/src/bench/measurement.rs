//! Samples of figures, and what is made of them.

use serde::{Deserialize, Serialize};

/// What a figure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "s/GiB")]
    SecondsPerGib,
    #[serde(rename = "MiB/s")]
    MibPerSecond,
    #[serde(rename = "MiB")]
    Mib,
    /// Millions of bytes, as sizes of packages are given.
    #[serde(rename = "MB")]
    Megabytes,
    #[serde(rename = "files")]
    Files,
}

impl Unit {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::SecondsPerGib => "s/GiB",
            Self::MibPerSecond => "MiB/s",
            Self::Mib => "MiB",
            Self::Megabytes => "MB",
            Self::Files => "files",
        }
    }
}

/// The middle of some samples, and their ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(super) median: f64,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Summary {
    /// None if there are no samples. (Samples that are no numbers do not come from clocks.)
    pub(super) fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            *sorted.get(middle)?
        } else {
            f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?)
        };
        Some(Self {
            median,
            min: *sorted.first()?,
            max: *sorted.last()?,
        })
    }
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Measurement {
    /// The test in tests/bench/tests.nix that it was taken with, or what was looked at.
    pub(super) test: String,
    /// What was measured.
    pub(super) name: String,
    pub(super) unit: Unit,
    /// The command that takes it.
    pub(super) taken_by: String,
    #[serde(flatten)]
    pub(super) summary: Summary,
    /// In the order in which they were taken.
    pub(super) samples: Vec<f64>,
    /// The round in which each was taken.
    pub(super) rounds: Vec<u32>,
    /// The same of the NixOS test driver; not of this run.
    pub(super) upstream: Option<Elsewhere>,
}

/// A figure that was measured elsewhere, from the lowest to the highest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    pub(super) low: f64,
    pub(super) high: f64,
}

/// Samples as they come.
#[derive(Debug, Default)]
pub(crate) struct Measurements {
    taken: Vec<Taken>,
    round: u32,
}

#[derive(Debug)]
struct Taken {
    test: String,
    name: String,
    unit: Unit,
    taken_by: String,
    samples: Vec<f64>,
    rounds: Vec<u32>,
}

impl Measurements {
    /// What comes now is of this round.
    pub(crate) fn begin_round(&mut self, round: u32) {
        self.round = round;
    }

    /// Takes in samples of a figure, after those that are there.
    pub(super) fn add(&mut self, test: &str, name: &str, unit: Unit, samples: &[f64]) {
        self.add_taken_by(test, name, unit, &super::sandbox::shown(&[test]), samples);
    }

    /// The same for figures that no test gives.
    pub(super) fn add_taken_by(
        &mut self,
        test: &str,
        name: &str,
        unit: Unit,
        taken_by: &str,
        samples: &[f64],
    ) {
        // Nanoseconds are noise.
        let samples = samples.iter().map(|sample| (sample * 1e6).round() / 1e6);
        let rounds = samples.clone().map(|_| self.round);
        let known = self.taken.iter_mut();
        match known
            .into_iter()
            .find(|taken| taken.test == test && taken.name == name)
        {
            Some(taken) => {
                taken.rounds.extend(rounds);
                taken.samples.extend(samples);
            }
            None => self.taken.push(Taken {
                test: test.to_owned(),
                name: name.to_owned(),
                unit,
                taken_by: taken_by.to_owned(),
                rounds: rounds.collect(),
                samples: samples.collect(),
            }),
        }
    }

    /// What there is of them, in the order in which figures were first seen.
    pub(super) fn summarised(self) -> Vec<Measurement> {
        let summarised = self.taken.into_iter().filter_map(|taken| {
            Some(Measurement {
                upstream: super::upstream::figure(&taken.test, &taken.name),
                summary: Summary::of(&taken.samples)?,
                test: taken.test,
                name: taken.name,
                unit: taken.unit,
                taken_by: taken.taken_by,
                samples: taken.samples,
                rounds: taken.rounds,
            })
        });
        summarised.collect()
    }
}

/// How many times as much one figure is as another: in each round in which both were taken.
pub(super) fn ratio(of: &Measurement, to: &Measurement) -> Option<Summary> {
    let of = of.rounds.iter().zip(&of.samples);
    let ratios = of.filter_map(|(round, sample)| {
        let other = to.rounds.iter().position(|other| other == round)?;
        Some(sample / to.samples.get(other)?)
    });
    Summary::of(&ratios.filter(|ratio| ratio.is_finite()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let table: [(&[f64], _); 4] = [
            (&[], None),
            (&[2.0], Some((2.0, 2.0, 2.0))),
            (&[4.0, 1.0], Some((2.5, 1.0, 4.0))),
            (&[9.0, 1.0, 2.0], Some((2.0, 1.0, 9.0))),
        ];
        for (samples, expected) in table {
            let summary = Summary::of(samples);
            let found = summary.map(|summary| (summary.median, summary.min, summary.max));
            assert_eq!(found, expected, "{samples:?}");
        }
    }

    #[test]
    fn ratios_are_those_of_a_round() {
        let mut found = Measurements::default();
        let rounds = [
            (Some(10.0), Some(5.0)),
            (None, Some(7.0)),
            (Some(30.0), Some(10.0)),
            (Some(9.0), None),
            (Some(9.0), Some(0.0)),
        ];
        for (round, (of, to)) in (1..).zip(rounds) {
            found.begin_round(round);
            found.add("of", "x", Unit::Seconds, of.as_slice());
            found.add("to", "x", Unit::Seconds, to.as_slice());
        }
        let found = found.summarised();
        let ratio = ratio(&found[0], &found[1]).unwrap();
        assert_eq!((ratio.median, ratio.min, ratio.max), (2.5, 2.0, 3.0));
    }

    #[test]
    fn samples_of_a_figure_are_joined() {
        let mut measurements = Measurements::default();
        measurements.add("trivial", "total", Unit::Seconds, &[25.000_000_01]);
        measurements.add("trivial", "script", Unit::Seconds, &[]);
        measurements.add("trivial", "total", Unit::Seconds, &[27.0]);
        let summarised = measurements.summarised();
        assert_eq!(summarised.len(), 1, "nothing is said without samples");
        assert_eq!(summarised[0].samples, [25.0, 27.0]);
        assert_eq!(summarised[0].summary.median, 26.0);
    }

    #[test]
    fn units_are_written_as_they_are_shown() {
        for unit in [
            Unit::Seconds,
            Unit::Milliseconds,
            Unit::SecondsPerGib,
            Unit::MibPerSecond,
            Unit::Mib,
            Unit::Megabytes,
            Unit::Files,
        ] {
            assert_eq!(serde_json::to_value(unit).unwrap(), unit.symbol());
        }
    }
}

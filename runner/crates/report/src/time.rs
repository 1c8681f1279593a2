//! Where the time went.

use std::collections::HashMap;

use crate::model::{Report, Step};

/// What a moment of a test was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spent {
    /// Images were built, before the first machine was started.
    Preparing,
    /// A machine booted, whatever else was done.
    Booting,
    /// The script waited for something.
    Waiting,
    /// A command ran.
    Running,
    /// The script did something else.
    Script,
    /// The machines were ended, and the report written.
    Ending,
}

impl Spent {
    /// All of them, in the order in which they come in a test.
    pub const ALL: [Self; 6] = [
        Self::Preparing,
        Self::Booting,
        Self::Waiting,
        Self::Running,
        Self::Script,
        Self::Ending,
    ];

    /// In words.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Preparing => "preparing machines",
            Self::Booting => "booting",
            Self::Waiting => "waits",
            Self::Running => "commands",
            Self::Script => "script and other",
            Self::Ending => "ending",
        }
    }

    /// A name for style sheets.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Booting => "boot",
            Self::Waiting => "wait",
            Self::Running => "run",
            Self::Script => "script",
            Self::Ending => "ending",
        }
    }
}

/// What a step is spent on.
#[must_use]
pub fn kind_of(step: &Step) -> Spent {
    let message = &step.message;
    // The words of the NixOS test driver for its waits.
    let is_wait = message.starts_with("waiting for") || message.starts_with("wait for");
    if is_wait {
        Spent::Waiting
    } else if step.command.is_some() || message.starts_with("must ") {
        Spent::Running
    } else {
        Spent::Script
    }
}

/// How many seconds of the test each took; together they are the test's duration.
#[must_use]
pub fn spent(report: &Report) -> [(Spent, f64); 6] {
    let mut edges = vec![0.0, report.duration];
    let mut boots = Vec::new();
    for boot in report.machines.values().flat_map(|machine| &machine.boots) {
        let over = boot.up.or(boot.off).unwrap_or(report.duration);
        boots.push((boot.power_on, over));
    }
    let steps = report.steps.iter().filter(|step| step.subtest.is_none());
    let steps: Vec<(f64, f64, Spent)> = steps
        .map(|step| (step.start, step.end(), kind_of(step)))
        .collect();
    edges.extend(boots.iter().flat_map(|(start, end)| [*start, *end]));
    edges.extend(steps.iter().flat_map(|(start, end, _)| [*start, *end]));
    for edge in &mut edges {
        *edge = edge.clamp(0.0, report.duration);
    }
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    let first = boots
        .iter()
        .map(|(start, _)| *start)
        .chain(steps.iter().map(|step| step.0));
    let first = first.fold(report.duration, f64::min);
    let last = steps.iter().map(|step| step.1).fold(first, f64::max);
    let mut sums = Spent::ALL.map(|kind| (kind, 0.0));
    let booting = covered(&boots);
    let waits: Vec<(f64, f64)> = of(&steps, Spent::Waiting);
    let runs: Vec<(f64, f64)> = of(&steps, Spent::Running);
    let (waits, runs) = (covered(&waits), covered(&runs));
    for pair in edges.windows(2) {
        let middle = f64::midpoint(pair[0], pair[1]);
        let kind = if middle < first {
            Spent::Preparing
        } else if is_in(&booting, middle) {
            Spent::Booting
        } else if is_in(&waits, middle) {
            Spent::Waiting
        } else if is_in(&runs, middle) {
            Spent::Running
        } else if middle > last {
            Spent::Ending
        } else {
            Spent::Script
        };
        let sum = sums.iter_mut().find(|(other, _)| *other == kind);
        if let Some((_, seconds)) = sum {
            *seconds += pair[1] - pair[0];
        }
    }
    sums
}

fn of(steps: &[(f64, f64, Spent)], kind: Spent) -> Vec<(f64, f64)> {
    let of_kind = steps.iter().filter(|step| step.2 == kind);
    of_kind.map(|(start, end, _)| (*start, *end)).collect()
}

/// The union of spans, sorted and apart from each other.
fn covered(spans: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = spans.to_vec();
    sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut union: Vec<(f64, f64)> = Vec::new();
    for (start, end) in sorted {
        match union.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => union.push((start, end)),
        }
    }
    union
}

fn is_in(spans: &[(f64, f64)], time: f64) -> bool {
    let after = spans.partition_point(|(start, _)| *start <= time);
    after > 0 && time < spans[after - 1].1
}

/// The steps that took longest by themselves, each with how long: what steps inside it took counts as theirs.
#[must_use]
pub fn slowest(report: &Report, most: usize) -> Vec<(&Step, f64)> {
    let mut inside: HashMap<u64, f64> = HashMap::new();
    for step in &report.steps {
        if let Some(parent) = step.parent {
            *inside.entry(parent).or_default() += step.duration;
        }
    }
    let steps = report.steps.iter().filter(|step| step.subtest.is_none());
    let own = steps.map(|step| {
        // Steps that run at once take longer than what they lie in.
        let inside = inside.get(&step.id).copied().unwrap_or(0.0);
        (step, (step.duration - inside).max(0.0))
    });
    let mut slowest: Vec<(&Step, f64)> = own.filter(|(_, own)| *own >= SHORTEST).collect();
    slowest.sort_by(|one, other| other.1.total_cmp(&one.1));
    slowest.truncate(most);
    slowest
}

/// What took less is nothing to look at.
const SHORTEST: f64 = 0.001;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Boot, MachineReport};

    fn step(message: &str, start: f64, duration: f64) -> Step {
        Step {
            message: message.to_owned(),
            start,
            duration,
            ..Step::default()
        }
    }

    #[test]
    fn every_second_is_spent_once() {
        let mut report = Report::new("t", []);
        report.duration = 20.0;
        let boot = Boot {
            restored: false,
            power_on: 2.0,
            agent: None,
            up: Some(7.0),
            off: None,
        };
        let machine = MachineReport {
            boots: vec![boot],
            ..MachineReport::default()
        };
        report.machines.insert("m".into(), machine);
        report.steps = vec![
            step("waiting for unit a", 3.0, 6.0),
            step("must succeed: b", 8.0, 3.0),
            step("must succeed: c", 12.0, 1.0),
            step("run the VM test script", 1.5, 16.5),
        ];
        let spent = spent(&report).map(|(_, seconds)| seconds);
        assert_eq!(spent, [1.5, 5.0, 2.0, 3.0, 6.5, 2.0]);
    }

    #[test]
    fn what_is_inside_a_step_is_not_its_own() {
        let mut report = Report::new("t", []);
        let mut inner = step("inner", 0.0, 3.0);
        inner.parent = Some(7);
        let mut outer = step("outer", 0.0, 9.0);
        outer.id = 7;
        let short = step("short", 3.0, 1.0);
        report.steps = vec![inner, outer, short, step("nothing", 4.0, 0.0)];
        let slowest = slowest(&report, 2);
        let names = slowest
            .iter()
            .map(|(step, own)| (step.message.as_str(), *own));
        assert_eq!(names.collect::<Vec<_>>(), [("outer", 6.0), ("inner", 3.0)]);
    }
}

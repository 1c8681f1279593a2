//! The report as text: for a terminal, and as the last words of a test that failed.
//!
//! All of it is bounded, and none of it acts on a terminal: what machines have printed is cleaned before it comes here, and
//! control characters of scripts are left out here.

use std::fmt::Write as _;

use crate::log::Logs;
use crate::model::{CommandReport, FailureReport, Report, Step};
use crate::outcome::Outcome;
use crate::time;

/// Lines before and after a failing line.
const AROUND: usize = 2;

/// Lines of an output that are shown.
const OUTPUT: usize = 20;

/// Lines of a journal or a console that are shown.
const TAIL: usize = 10;

/// Findings that are shown; of units, machines and failures as many.
const MOST: usize = 8;

/// Longest line in characters.
const WIDTH: usize = 300;

/// The whole report.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut text = Text::default();
    text.line(&heading(report));
    if let Some(acceleration) = &report.acceleration {
        text.line(acceleration);
    }
    let failures: Vec<&FailureReport> = report.failures().collect();
    for failure in failures.iter().take(MOST) {
        text.gap();
        text.failure(report, failure);
    }
    text.more(failures.len(), "failures");
    text.findings(report);
    text.machines(report);
    text.subtests(report);
    text.times(report);
    text.0
}

/// What the log of a failed test ends with, after its traceback: what may have been the cause, beside the script.
#[must_use]
pub fn diagnosis(report: &Report, logs: &Logs) -> String {
    let mut text = Text::default();
    let failures: Vec<&FailureReport> = report.failures().collect();
    if let Some(failure) = &report.failure {
        text.excerpt(report, failure);
    }
    let others = failures.iter().take(MOST);
    for failure in others.filter(|failure| Some(**failure) != report.failure.as_ref()) {
        text.gap();
        text.failure(report, failure);
    }
    text.more(failures.len(), "failures");
    text.findings(report);
    text.machines(report);
    let culprits = culprits(report);
    for machine in culprits.iter().take(MOST) {
        let machine_report = report.machines.get(*machine);
        let end = machine_report.and_then(|machine| machine.end.as_deref());
        let tail = logs.around(machine, end, TAIL);
        if !tail.is_empty() {
            text.gap();
            text.line(&format!("{machine}: the end of its console:"));
            text.lines(&tail);
        }
    }
    text.0
}

/// The machines that a failure is about; those that ended badly, if it names none, or all.
fn culprits(report: &Report) -> Vec<&str> {
    let step = report.failure.as_ref().and_then(|failure| failure.step);
    let step = step.and_then(|step| report.step(step));
    if let Some(machine) = step.and_then(|step| step.machine.as_deref()) {
        return vec![machine];
    }
    let names = |failed: bool| {
        let machines = report.machines.iter();
        let machines = machines.filter(move |(_, machine)| !failed || machine.failed);
        machines.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    match names(true) {
        failed if failed.is_empty() => names(false),
        failed => failed,
    }
}

/// How the test ended, in a line.
#[must_use]
pub fn heading(report: &Report) -> String {
    let Report { name, duration, .. } = report;
    match report.outcome {
        Outcome::Passed => format!("test `{name}` passed in {duration:.2} seconds"),
        failed => format!(
            "test `{name}` failed in {duration:.2} seconds: {}",
            failed.describe()
        ),
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, line: &str) {
        let line = line.trim_end();
        let clean = |c: char| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        };
        let mut characters = line.chars().map(clean);
        self.0.extend(characters.by_ref().take(WIDTH));
        if characters.next().is_some() {
            self.0.push('…');
        }
        self.0.push('\n');
    }

    fn gap(&mut self) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
    }

    fn lines<T: AsRef<str>>(&mut self, lines: &[T]) {
        for line in lines {
            self.line(&format!("  {}", line.as_ref()));
        }
    }

    fn more(&mut self, all: usize, of: &str) {
        if let Some(more @ 1..) = all.checked_sub(MOST) {
            self.line(&format!("… and {more} more {of}"));
        }
    }

    /// The last lines of a text.
    fn tail(&mut self, title: &str, text: &str) {
        let lines: Vec<&str> = text.trim_end().lines().collect();
        if lines.is_empty() {
            return;
        }
        let skipped = lines.len().saturating_sub(OUTPUT);
        let more = match skipped {
            0 => String::new(),
            skipped => format!(" ({skipped} lines before)"),
        };
        self.line(&format!("{title}{more}:"));
        self.lines(&lines[skipped..]);
    }

    fn failure(&mut self, report: &Report, failure: &FailureReport) {
        if let Some(subtest) = failure.subtest.or(failure.step) {
            let names = report.subtests_around(subtest);
            if !names.is_empty() {
                self.line(&format!("subtest: {}", names.join(" / ")));
            }
        }
        for line in failure.message.lines().take(OUTPUT) {
            self.line(line);
        }
        self.excerpt(report, failure);
        let step = failure.step.and_then(|step| report.step(step));
        if let Some(Step {
            command: Some(command),
            ..
        }) = step
        {
            self.command(command);
        }
    }

    /// The failing line in its script.
    fn excerpt(&mut self, report: &Report, failure: &FailureReport) {
        let script = failure
            .script
            .as_deref()
            .and_then(|name| report.script(name));
        let (Some(script), Some(failing)) = (script, failure.line) else {
            return;
        };
        self.gap();
        self.line(&format!("{}, line {failing}:", script.name));
        let lines = (1..).zip(script.text.lines());
        for (number, line) in lines.filter(|(number, _)| failing.abs_diff(*number) <= AROUND) {
            let mark = if number == failing { '>' } else { ' ' };
            self.line(&format!("{mark} {number:4}  {line}"));
        }
    }

    fn command(&mut self, command: &CommandReport) {
        self.gap();
        let CommandReport {
            machine,
            ending,
            duration,
            ..
        } = command;
        self.line(&format!(
            "{machine}: {} after {duration:.2} seconds:",
            ending.describe()
        ));
        let lines: Vec<&str> = command.command.lines().take(OUTPUT).collect();
        self.lines(&lines);
        self.tail("standard error", &command.stderr);
        self.tail("standard output", &command.stdout);
    }

    fn findings(&mut self, report: &Report) {
        if report.findings.is_empty() {
            return;
        }
        self.gap();
        for finding in report.findings.iter().take(MOST) {
            let (what, machine) = (finding.kind.describe(), &finding.machine);
            self.line(&format!("{machine}: {what}: {}", finding.text));
        }
        self.more(report.findings.len(), "findings");
    }

    fn machines(&mut self, report: &Report) {
        for (name, machine) in &report.machines {
            if machine.failed
                && let Some(end) = &machine.end
            {
                self.gap();
                self.line(&format!("{name}: {end}"));
            }
            for unit in machine.failed_units.iter().take(MOST) {
                self.gap();
                self.line(&format!("{name}: {} has failed:", unit.name));
                self.lines(&unit.journal);
            }
            self.more(machine.failed_units.len(), "failed units");
        }
    }

    fn subtests(&mut self, report: &Report) {
        let mut subtests: Vec<&Step> = report
            .steps
            .iter()
            .filter(|step| step.subtest.is_some())
            .collect();
        if subtests.is_empty() {
            return;
        }
        subtests.sort_by_key(|step| step.id);
        self.gap();
        self.line("subtests:");
        for step in subtests {
            let names = report.subtests_around(step.id).join(" / ");
            let mark = if step.passed { "passed" } else { "FAILED" };
            self.line(&format!("  {mark}  {:7.2} s  {names}", step.duration));
        }
    }

    fn times(&mut self, report: &Report) {
        self.gap();
        self.line("where the time went:");
        for (kind, seconds) in time::spent(report) {
            if seconds >= 0.005 {
                self.line(&format!("  {seconds:8.2} s  {}", kind.describe()));
            }
        }
        let slowest = time::slowest(report, 5);
        if !slowest.is_empty() {
            self.line("slowest steps:");
        }
        for (step, own) in slowest {
            let mut line = format!("  {own:8.2} s  ");
            if let Some(machine) = &step.machine {
                let _ = write!(line, "{machine}: ");
            }
            line += step.message.lines().next().unwrap_or_default();
            self.line(&line);
        }
    }
}

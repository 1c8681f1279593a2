//! From events to the report.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::oneshot;
use vmtest_protocol::Stream;
use vmtest_report::finding::{self, Finding, Kind};
use vmtest_report::model::lines::{OutputLine, Stream as Output};
use vmtest_report::model::step::excerpt;
use vmtest_report::model::{
    Boot, CommandReport, FailureReport, MachineReport, Screenshot, SnapshotReport, Step, Traffic,
};
use vmtest_report::{LogLine, Logs, Outcome, Report, Source};
use vmtest_script::event::{ScriptEvent, StepId};
use vmtest_script::failure::{Failure, FailureKind};

use crate::event::{Event, Printed, Stamped};
use crate::machine::lifecycle::{End, State};
use crate::machine::{CONSOLE_LOG, JOURNAL_LOG, LOGS, QEMU_LOG};
use crate::spec::Patterns;

/// Bytes of outputs after which the report keeps only a little of each.
const OUTPUTS: usize = 32 << 20;
const LITTLE: usize = 512;

/// Most findings; a machine that says the same over and over says nothing new.
const FINDINGS: usize = 200;

/// Gathers what happens in a test.
#[derive(Debug)]
pub struct Recorder {
    /// The report so far.
    pub report: Report,
    /// What the machines say.
    pub logs: Logs,
    out: PathBuf,
    open: BTreeMap<u64, Step>,
    commands: HashMap<u64, (u64, CommandReport)>,
    outputs: usize,
    found: HashSet<(String, String)>,
    patterns: Patterns,
    /// Is told the reason when a line fails the test.
    alarm: Option<oneshot::Sender<String>>,
}

impl Recorder {
    /// For a report that is to lie in this folder.
    #[must_use]
    pub fn new(report: Report, out: &Path) -> Self {
        Self {
            report,
            logs: Logs::default(),
            out: out.to_owned(),
            open: BTreeMap::new(),
            commands: HashMap::new(),
            outputs: 0,
            found: HashSet::new(),
            patterns: Patterns::default(),
            alarm: None,
        }
    }

    /// Looks for lines that fail the test; the first one sounds the alarm.
    pub fn look_for(&mut self, patterns: Patterns, alarm: oneshot::Sender<String>) {
        self.patterns = patterns;
        self.alarm = Some(alarm);
    }

    /// Why the test has failed by what a machine said, if it has.
    #[must_use]
    pub fn line_that_fails(&self) -> Option<String> {
        let mut findings = self.report.findings.iter();
        let finding = findings.find(|finding| finding.kind == Kind::Pattern)?;
        let source = match finding.source {
            Source::Console => "on its console",
            Source::Journal => "in its journal",
        };
        Some(format!(
            "{}: a line {source} fails the test (failOn, `{}`): {}",
            finding.machine,
            finding.pattern.as_deref().unwrap_or_default(),
            finding.text
        ))
    }

    /// Takes in one event.
    pub fn record(&mut self, stamped: &Stamped) {
        let at = stamped.at.as_secs_f64();
        match &stamped.event {
            Event::Machine { machine, state } => {
                // A script can make more than the manifest has.
                follow(self.machine(machine), at, state);
                if let State::Off(Some(End::Panicked(message))) = state {
                    self.find(machine, Source::Console, at, (Kind::Panic, message), None);
                }
            }
            Event::Agent { machine } => {
                if let Some(boot) = self.machine(machine).boots.last_mut() {
                    boot.agent.get_or_insert(at);
                }
            }
            Event::Restored { machine } => {
                if let Some(boot) = self.machine(machine).boots.last_mut() {
                    boot.restored = true;
                }
            }
            Event::Snapshot { from } => {
                self.report.snapshot = Some(SnapshotReport::new(from));
            }
            Event::Unrestored { machine, reason } => {
                if let Some(snapshot) = &mut self.report.snapshot {
                    snapshot.note(machine.as_deref(), reason);
                }
            }
            Event::Console { machine, line } => {
                self.log(machine, Source::Console, at, line, (None, None));
            }
            Event::Journal {
                machine,
                priority,
                unit,
                line,
            } => self.log(
                machine,
                Source::Journal,
                at,
                line,
                (*priority, unit.as_deref()),
            ),
            Event::Output {
                machine,
                late,
                printed,
            } => print(self.machine(machine), at, *late, printed),
            Event::Ran { step, command } => self.ran(*step, command),
            Event::Screenshot { machine, file } => {
                if let Ok(file) = file.strip_prefix(&self.out) {
                    self.report.screenshots.push(Screenshot {
                        machine: machine.clone(),
                        time: at,
                        file: file.display().to_string(),
                    });
                }
            }
            Event::FailedUnits { machine, units } => {
                self.machine(machine).failed_units.clone_from(units);
            }
            Event::Traffic { vlan, counters } => {
                let traffic = Traffic {
                    frames: counters.frames,
                    bytes: counters.bytes,
                    dropped: counters.dropped,
                };
                self.report.vlans.insert(*vlan, traffic);
            }
            Event::Script(event) => self.script(at, event),
            Event::Runner(..) | Event::ShowConsoles(_) | Event::End => {}
        }
    }

    fn machine(&mut self, name: &str) -> &mut MachineReport {
        // Most events come from machines that are known.
        if !self.report.machines.contains_key(name) {
            let machine = MachineReport::default();
            self.report.machines.insert(name.to_owned(), machine);
        }
        self.report.machines.entry(name.to_owned()).or_default()
    }

    fn log(
        &mut self,
        machine: &str,
        source: Source,
        at: f64,
        line: &str,
        (priority, unit): (Option<u8>, Option<&str>),
    ) {
        if let Some(found) = finding::of_kernel(line) {
            self.find(machine, source, at, found, None);
        }
        if let Some(pattern) = self.patterns.find(line).map(str::to_owned) {
            self.find(machine, source, at, (Kind::Pattern, line), Some(pattern));
            if let Some(reason) = self.line_that_fails()
                && let Some(alarm) = self.alarm.take()
            {
                // Nobody listens where the script goes on: its end is soon enough.
                let _ = alarm.send(reason);
            }
        }
        let line = LogLine {
            time: at,
            unit: unit.map(str::to_owned),
            priority,
            text: line.to_owned(),
        };
        self.logs.push(machine, source, line);
    }

    /// Takes note of a line that nobody should overlook. Both console and journal may have it.
    fn find(
        &mut self,
        machine: &str,
        source: Source,
        at: f64,
        (kind, text): (Kind, &str),
        pattern: Option<String>,
    ) {
        // What fails a test is not what is one too many.
        let has_room = self.report.findings.len() < FINDINGS
            || kind == Kind::Pattern && self.line_that_fails().is_none();
        let known = (machine.to_owned(), format!("{kind:?} {text}"));
        if has_room && self.found.insert(known) {
            self.report.findings.push(Finding {
                kind,
                machine: machine.to_owned(),
                source,
                time: at,
                text: text.to_owned(),
                pattern,
            });
        }
    }

    /// A command has ended: of several in one step the last is kept, which is the one that decides.
    fn ran(&mut self, step: StepId, command: &CommandReport) {
        let mut command = command.clone();
        if self.outputs > OUTPUTS {
            for text in [
                &mut command.command,
                &mut command.stdout,
                &mut command.stderr,
            ] {
                *text = excerpt(text, LITTLE);
            }
        }
        let size = |command: &CommandReport| {
            command.command.len() + command.stdout.len() + command.stderr.len()
        };
        self.outputs += size(&command);
        let (count, last) = self.commands.remove(&step.0).unzip();
        self.outputs -= last.as_ref().map_or(0, size);
        self.commands
            .insert(step.0, (count.unwrap_or(0) + 1, command));
    }

    fn script(&mut self, at: f64, event: &ScriptEvent) {
        match event {
            ScriptEvent::StepStarted {
                id,
                parent,
                machine,
                message,
            } => self.begin(Step {
                id: id.0,
                parent: parent.map(|parent| parent.0),
                machine: machine.clone(),
                message: message.clone(),
                start: at,
                ..Step::default()
            }),
            ScriptEvent::SubtestStarted { id, parent, name } => self.begin(Step {
                id: id.0,
                parent: parent.map(|parent| parent.0),
                subtest: Some(name.clone()),
                message: format!("subtest: {name}"),
                start: at,
                ..Step::default()
            }),
            ScriptEvent::StepFinished {
                id,
                elapsed,
                passed,
                ..
            } => self.end(id.0, at, *elapsed, *passed, None),
            ScriptEvent::SubtestFinished {
                id,
                elapsed,
                error,
                failure,
                ..
            } => {
                self.end(id.0, at, *elapsed, error.is_none(), error.clone());
                if let Some(failure) = failure {
                    // Subtests of the script that prepares the machines fail the test as well.
                    let failure = failure_of(failure);
                    self.report.failed_subtests.push(failure);
                }
            }
            ScriptEvent::Message { .. } | ScriptEvent::Print { .. } => {}
        }
    }

    fn begin(&mut self, step: Step) {
        self.open.insert(step.id, step);
    }

    fn end(&mut self, id: u64, at: f64, elapsed: Duration, passed: bool, error: Option<String>) {
        let Some(mut step) = self.open.remove(&id) else {
            return;
        };
        step.duration = elapsed.as_secs_f64();
        step.start = (at - step.duration).max(0.0);
        step.passed = passed;
        step.error = error;
        self.close(step);
    }

    fn close(&mut self, mut step: Step) {
        let (commands, command) = self.commands.remove(&step.id).unzip();
        step.commands = commands.unwrap_or(0);
        step.command = command;
        self.report.steps.push(step);
    }

    /// The test is over: steps that were not finished have failed, and what there is of logs is named.
    #[must_use]
    pub fn finish(mut self, outcome: Outcome, duration: Duration) -> (Report, Logs) {
        // Those inside others come first, as if they had ended.
        while let Some((_, mut step)) = self.open.pop_last() {
            step.duration = (duration.as_secs_f64() - step.start).max(0.0);
            self.close(step);
        }
        self.report.finish(outcome, duration);
        find_logs(&mut self.report, &self.out);
        self.settle();
        (self.report, self.logs)
    }

    /// Says in which steps and subtests the test has failed.
    fn settle(&mut self) {
        // The runner has stopped the script: what it was doing is the last that failed, inside of all the others.
        let stopped = matches!(
            self.report.outcome,
            Outcome::TimedOut | Outcome::Interrupted
        );
        let last = stopped.then(|| {
            let steps = self.report.steps.iter();
            let failed = steps.filter(|step| !step.passed && step.parent.is_some());
            failed.map(|step| step.id).max()
        });
        let mut failures = std::mem::take(&mut self.report.failed_subtests);
        for failure in failures.iter_mut() {
            self.place(failure);
        }
        self.report.failed_subtests = failures;
        if let Some(mut failure) = self.report.failure.take() {
            failure.step = failure.step.or(last.flatten());
            self.place(&mut failure);
            self.report.failure = Some(failure);
        }
    }

    /// Names the subtest that is around the step of a failure, or that is the step: then no step says more.
    fn place(&self, failure: &mut FailureReport) {
        let mut subtest = failure.step;
        while let Some(around) = subtest.and_then(|id| self.report.step(id)) {
            if around.subtest.is_some() {
                break;
            }
            subtest = around.parent;
        }
        failure.subtest = subtest.filter(|id| self.report.step(*id).is_some());
        failure.step = failure.step.filter(|step| failure.subtest != Some(*step));
    }
}

/// Names the logs that are there in the folder of the report.
fn find_logs(report: &mut Report, out: &Path) {
    for (name, machine) in &mut report.machines {
        let find = |file: &str| {
            let path = format!("{LOGS}/{name}/{file}");
            out.join(&path).exists().then_some(path)
        };
        machine.console_log = find(CONSOLE_LOG);
        machine.journal_log = find(JOURNAL_LOG);
        machine.qemu_log = find(QEMU_LOG);
    }
}

fn follow(machine: &mut MachineReport, at: f64, state: &State) {
    match state {
        State::Booting { .. } => {
            machine.end = None;
            machine.failed = false;
            off(machine, at);
            machine.boots.push(Boot {
                restored: false,
                power_on: at,
                agent: None,
                up: None,
                off: None,
            });
        }
        State::Ready { .. } => {
            if let Some(boot) = machine.boots.last_mut() {
                boot.up.get_or_insert(at);
            }
        }
        State::Off(Some(end)) => {
            machine.end = Some(describe(end));
            machine.failed = !end.is_orderly();
            off(machine, at);
        }
        State::Off(None) | State::Lost { .. } | State::Ending(_) => {}
    }
}

fn off(machine: &mut MachineReport, at: f64) {
    if let Some(boot) = machine.boots.last_mut() {
        boot.off.get_or_insert(at);
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

fn print(machine: &mut MachineReport, at: f64, late: bool, printed: &Printed) {
    match printed {
        Printed::Line { stream, text } => machine.output.push(OutputLine {
            time: at,
            stream: match stream {
                Stream::Stdout => Output::Stdout,
                Stream::Stderr => Output::Stderr,
            },
            late,
            text: text.clone(),
        }),
        Printed::LeftOut { lines } => machine.output.leave_out(*lines),
    }
}

/// How a script has failed.
#[must_use]
pub fn failure_of(failure: &Failure) -> FailureReport {
    FailureReport {
        message: failure.message.clone(),
        traceback: failure.traceback.clone(),
        script: failure.line.map(|_| failure.script.to_string()),
        line: failure.line,
        column: failure.column,
        step: failure.step.map(|step| step.0),
        subtest: None,
    }
}

/// What it means for a test that a script has failed so.
#[must_use]
pub const fn outcome_of(kind: FailureKind) -> Outcome {
    match kind {
        FailureKind::Assertion => Outcome::AssertionFailed,
        FailureKind::Script => Outcome::ScriptError,
        FailureKind::Machine => Outcome::MachineFailed,
        FailureKind::Aborted => Outcome::Interrupted,
    }
}

#[cfg(test)]
mod tests;

//! One test, from manifest to report.
//!
//! - `play`: what the test does: its script, perhaps before or after a snapshot;
//! - `machines`: the machines it does that with;
//! - `examine`: what is asked of them when it has failed.

mod examine;
mod machines;
mod play;

use std::fmt::Display;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use vmtest_manifest::{Attributes, Manifest, Snapshot};
use vmtest_report::model::{FailureReport, ScriptText};
use vmtest_report::{Logs, Outcome, Report, files, text};
use vmtest_script::Mode;
use vmtest_script::failure::Failure;

use crate::bridge::Stop;
use crate::check::{self, PREPARE, TEST_SCRIPT};
use crate::event::{Event, Events};
use crate::report::{self, Recorder, Terminal, failure_of, outcome_of};
use crate::snapshot::kept;
use crate::spec::Test;
use crate::vm::accel::{self, Choice};
use crate::workshop::Premises;
use machines::Machines;
use play::Play;

/// How long a script may take to notice that it is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Where a test may write.
#[derive(Debug, Clone)]
pub struct Places {
    /// The results.
    pub out: PathBuf,
    /// Images and disks.
    pub scratch: PathBuf,
    /// What becomes of `out` when the test fails.
    pub fate: Fate,
}

/// What becomes of the results of a test that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They are lost, so that they are copied to the folder for scratch, which Nix keeps if it is asked to.
    Lost,
    /// They stay, as the output of a build that succeeds whatever the outcome is.
    Output,
    /// They stay where somebody has put them.
    Kept,
}

/// Why a test did not pass, before it is rendered.
struct Fault {
    outcome: Outcome,
    report: Box<FailureReport>,
}

impl Fault {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        let report = FailureReport {
            message: message.into(),
            ..FailureReport::default()
        };
        let report = Box::new(report);
        Self { outcome, report }
    }

    /// The runner's surroundings failed.
    fn of_machines(error: impl Display) -> Self {
        Self::new(Outcome::MachineFailed, error.to_string())
    }

    /// A line of a console or a journal is one that fails the test.
    fn of_line(reason: &str) -> Self {
        Self::new(Outcome::AssertionFailed, reason)
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            outcome: outcome_of(failure.kind),
            report: Box::new(failure_of(&failure)),
        }
    }
}

/// Runs a test to its end, whatever that is, and leaves its report; there is none of a prompt that somebody has left.
///
/// # Errors
/// When the results cannot be written.
pub async fn run(attributes: &Attributes, places: &Places, mode: Mode) -> Result<Outcome> {
    let start = Instant::now();
    let Places { out, scratch, .. } = places;
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let (events, receiver) = Events::new();
    let manifest = &attributes.manifest;
    let names = manifest.nodes.keys().chain(manifest.start_scripts.keys());
    let mut report = Report::new(&manifest.name, names.map(String::as_str));
    report.scripts = scripts(manifest);
    let mut recorder = Recorder::new(report, out);
    let terminal = Terminal::new(attributes.manifest.serial_stdout);
    let test = Test::resolve(attributes);
    let (sender, alarm) = oneshot::channel();
    if let (Ok(test), Mode::Script) = (&test, mode) {
        recorder.look_for(test.patterns.clone(), sender);
    }
    let act = async {
        let mut choice = None;
        let result = match test {
            Ok(test) => act(test, mode, (out, scratch), &events, &mut choice, alarm).await,
            Err(complaints) => Err(Fault::new(Outcome::BadManifest, complaints.to_string())),
        };
        // The script engine keeps its way for events until the process ends.
        events.emit(Event::End);
        (result, choice)
    };
    let ((result, choice), shown) =
        tokio::join!(act, report::follow(receiver, terminal, &mut recorder));
    shown.context("cannot write the log")?;

    let result = result.and_then(|()| {
        let line = recorder.line_that_fails();
        line.map_or(Ok(()), |reason| Err(Fault::of_line(&reason)))
    });
    let outcome = result
        .as_ref()
        .map_or_else(|fault| fault.outcome, |()| Outcome::Passed);
    recorder.report.acceleration = choice.map(|choice| choice.to_string());
    recorder.report.failure = result.err().map(|fault| *fault.report);
    let (report, logs) = recorder.finish(outcome, start.elapsed());
    // What was tested at a prompt is known to nobody but who sat there.
    if (mode, outcome) == (Mode::Interactive, Outcome::Passed) {
        let Report { name, duration, .. } = &report;
        say(&format!(
            "vmtest: the prompt of test `{name}` was left after {duration:.2} seconds"
        ));
        return Ok(outcome);
    }
    files::write(&report, &logs, out).context("cannot write the report")?;
    show_end(&report, &logs, places);
    if outcome != Outcome::Passed
        && places.fate == Fate::Lost
        && let Err(error) = keep(out, &scratch.join("results"))
    {
        // The test's own end is what counts.
        tracing::warn!(%error, "the results cannot be kept");
    }
    Ok(outcome)
}

/// The scripts of a test, by the names that tracebacks have for them.
fn scripts(manifest: &Manifest) -> Vec<ScriptText> {
    let script = |name: &str, text: &String| ScriptText {
        name: name.to_owned(),
        text: text.clone(),
    };
    let text = &manifest.test_script;
    let prepare = match &manifest.snapshot {
        // What prepares the machines is all that such a test does.
        Some(Snapshot::Save(_)) => return vec![script(PREPARE, text)],
        Some(Snapshot::Boot(boot)) => Some(&boot.prepare),
        Some(Snapshot::Restore(restore)) => restore.prepare.as_ref(),
        None => None,
    };
    let prepare = prepare.map(|text| script(PREPARE, text));
    prepare
        .into_iter()
        .chain([script(TEST_SCRIPT, text)])
        .collect()
}

/// The test proper; when it returns, no machine runs. What executes their instructions is told in `accelerator`.
async fn act(
    mut test: Test,
    mode: Mode,
    (out, scratch): (&Path, &Path),
    events: &Events,
    accelerator: &mut Option<Choice>,
    alarm: oneshot::Receiver<String>,
) -> Result<(), Fault> {
    check_scripts(&test, mode, events).await?;
    let stop = Stop::default();
    let images = scratch.join("machines");
    let shared = scratch.join("shared-xchg");
    fs::create_dir_all(&shared).map_err(Fault::of_machines)?;
    if test.shared_dir {
        test.share(&shared);
    }
    let claimed = claim(&test, out)?;
    let mut machines = Machines::default();
    let script = async {
        let choice = accel::choose(test.acceleration, &test.tools.qemu, scratch).await;
        let choice = accelerator.insert(choice.map_err(Fault::of_machines)?);
        events.info(choice.to_string());
        let play = Play {
            test: &test,
            mode,
            premises: Premises {
                accelerator: choice.accelerator,
                agent: test.tools.agent.clone(),
                tmp_dir: scratch.to_owned(),
                shared_dir: shared.clone(),
                out: out.to_owned(),
                wait_for_output: test.wait_for_output,
                tesseract: test.tools.tesseract.clone(),
                events: events.clone(),
                logged: Arc::default(),
            },
            images: &images,
            stop: &stop,
        };
        play.run(&mut machines).await
    };
    let limit = match mode {
        Mode::Script => Some(test.timeout),
        // Somebody is at the keyboard.
        Mode::Interactive => None,
    };
    let alarm = async {
        match alarm.await {
            Ok(reason) if !test.keep_going => reason,
            _ => std::future::pending().await,
        }
    };
    let result = guard(script, limit, alarm, &stop).await;
    // Who has sent a signal wants an end.
    if result
        .as_ref()
        .is_err_and(|fault| fault.outcome != Outcome::Interrupted)
    {
        examine::failed_units(&machines.handles).await;
    }
    machines.end(&images, events).await;
    remove(&shared, events);
    if let (Err(_), Some(folder)) = (&result, &claimed) {
        // Nobody goes on from a snapshot of a test that failed, and it may be what fills the disk.
        remove(folder, events);
    }
    result
}

/// The first act: a wrong script is told of before any machine is built. At a prompt it can still be mended.
async fn check_scripts(test: &Test, mode: Mode, events: &Events) -> Result<(), Fault> {
    let subject = test.clone();
    let verdict = spawn_blocking(move || check::test(&subject)).await;
    let verdict = match verdict.map_err(anyhow::Error::from).flatten() {
        Ok(verdict) => verdict,
        // What is wrong with the script is seen when it runs.
        Err(error) => {
            events.warn(format!("the test script is not checked: {error:#}"));
            return Ok(());
        }
    };
    if let Some(warnings) = verdict.warnings {
        events.warn(format!("in the test script:\n{warnings}"));
    }
    let Some(errors) = verdict.errors else {
        return Ok(());
    };
    let message = format!("the test script is wrong:\n{errors}");
    if mode == Mode::Interactive {
        events.warn(message);
        return Ok(());
    }
    let mut fault = Fault::new(Outcome::ScriptError, message);
    if let Some((script, line, column)) = verdict.place {
        fault.report.script = Some(script.to_owned());
        (fault.report.line, fault.report.column) = (Some(line), Some(column));
    }
    Err(fault)
}

/// The folder in which the test is to keep its machines, if it is to keep them: from here on it is this run's.
fn claim(test: &Test, out: &Path) -> Result<Option<PathBuf>, Fault> {
    let Some(Snapshot::Save(_)) = &test.snapshot else {
        return Ok(None);
    };
    let claimed = kept::claim(out);
    claimed
        .map(Some)
        .map_err(|error| Fault::of_machines(format!("{error:#}")))
}

/// Removes a folder that nobody looks at any more: a failed build may be kept.
fn remove(folder: &Path, events: &Events) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            events.warn(format!("{} cannot be removed: {error}", folder.display()));
        }
        _ => {}
    }
}

/// Runs the script until it ends, the test's time is over, a line fails it, or a signal comes.
async fn guard(
    script: impl Future<Output = Result<(), Fault>>,
    limit: Option<Duration>,
    alarm: impl Future<Output = String>,
    stop: &Stop,
) -> Result<(), Fault> {
    tokio::pin!(script);
    let (outcome, reason) = tokio::select! {
        result = &mut script => return result,
        limit = pass(limit) => {
            (Outcome::TimedOut, format!("the test did not end within {} seconds (globalTimeout)", limit.as_secs()))
        }
        reason = alarm => (Outcome::AssertionFailed, reason),
        signal = interruption() => (Outcome::Interrupted, format!("the runner got {signal}")),
    };
    stop.stop(&reason);
    let mut fault = Fault::new(outcome, reason.as_str());
    // The script's own traceback tells where it stood.
    if let Ok(Err(stopped)) = tokio::time::timeout(GRACE, script).await {
        fault.report = Box::new(FailureReport {
            message: fault.report.message,
            ..*stopped.report
        });
    }
    Err(fault)
}

/// Returns when the time is over.
async fn pass(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

async fn interruption() -> &'static str {
    tokio::select! {
        () = arrival(SignalKind::terminate()) => "SIGTERM",
        () = arrival(SignalKind::interrupt()) => "SIGINT",
        () = hangup() => "SIGHUP",
    }
}

/// Returns when the terminal is closed, unless whoever has started the runner wants it to go on then (`nohup`).
async fn hangup() {
    let kind = SignalKind::hangup();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if ignored(&status, kind.as_raw_value()) {
        return std::future::pending().await;
    }
    arrival(kind).await;
}

async fn arrival(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Whether a process ignores the signal, by its `/proc/<pid>/status`; see proc_pid_status(5).
fn ignored(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn show_end(report: &Report, logs: &Logs, places: &Places) {
    if let Some(failure) = &report.failure {
        if !failure.traceback.is_empty() {
            say(failure.traceback.trim_end());
        }
        say(&failure.message);
    }
    if report.outcome != Outcome::Passed {
        let diagnosis = text::diagnosis(report, logs);
        if !diagnosis.is_empty() {
            say(&format!("\n{}", diagnosis.trim_end()));
        }
        let page = places.out.join(files::PAGE);
        say(&match places.fate {
            Fate::Lost => "\nvmtest: for the whole report, build the attribute `report` of the test: nix build ….report".to_owned(),
            Fate::Output | Fate::Kept => format!("\nvmtest: the whole report: {}", page.display()),
        });
    }
    say(&format!("vmtest: {}", text::heading(report)));
}

/// A line at the end of the log, after the last event. The terminal may be closed: that is no reason to leave anything behind.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Copies the results of a failed test to where Nix keeps them (`--keep-failed`).
fn keep(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            keep(&entry.path(), &target)?;
        } else if kind.is_symlink() {
            // It may point into a guest, to nothing on this side.
            symlink(fs::read_link(entry.path())?, target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_bits() {
        let status = "Name:\tvmtest\nSigBlk:\tffff\nSigIgn:\t0000000000001001\n";
        assert!(ignored(status, 1) && ignored(status, 13));
        assert!(!ignored(status, 2) && !ignored("", 1));
    }
}

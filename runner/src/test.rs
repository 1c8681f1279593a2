//! One test, from manifest to report.
//!
//! - `play`: what the test does: its script, perhaps before or after a snapshot;
//! - `machines`: the machines it does that with.

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
use tokio::task::spawn_blocking;
use vmtest_manifest::{Attributes, Snapshot};
use vmtest_script::Mode;
use vmtest_script::failure::Failure;

use crate::bridge::Stop;
use crate::check;
use crate::event::{Event, Events};
use crate::outcome::Outcome;
use crate::report::{self, FailureReport, Report, Terminal};
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
    /// Whether `out` is lost when the test fails, so that the results are copied to `scratch`.
    pub keep_failed: bool,
}

/// Why a test did not pass, before it is rendered.
struct Fault {
    outcome: Outcome,
    report: FailureReport,
}

impl Fault {
    fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        let report = FailureReport {
            message: message.into(),
            traceback: String::new(),
            line: None,
            column: None,
        };
        Self { outcome, report }
    }

    /// The runner's surroundings failed.
    fn of_machines(error: impl Display) -> Self {
        Self::new(Outcome::MachineFailed, error.to_string())
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            outcome: failure.kind.into(),
            report: FailureReport::from(&failure),
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
    let terminal = Terminal::new(attributes.manifest.serial_stdout);
    let act = async {
        let mut choice = None;
        let result = act(attributes, mode, out, scratch, &events, &mut choice).await;
        // The script engine keeps its way for events until the process ends.
        events.emit(Event::End);
        (result, choice)
    };
    let ((result, choice), shown) =
        tokio::join!(act, report::follow(receiver, terminal, &mut report));
    shown.context("cannot write the log")?;

    let outcome = result
        .as_ref()
        .map_or_else(|fault| fault.outcome, |()| Outcome::Passed);
    report.acceleration = choice.map(|choice| choice.to_string());
    report.failure = result.err().map(|fault| fault.report);
    report.finish(outcome, start.elapsed());
    report.find_logs(out);
    // What was tested at a prompt is known to nobody but who sat there.
    if (mode, outcome) == (Mode::Interactive, Outcome::Passed) {
        let Report { name, duration, .. } = &report;
        say(&format!(
            "vmtest: the prompt of test `{name}` was left after {duration:.2} seconds"
        ));
        return Ok(outcome);
    }
    report::write(&report, out).context("cannot write the report")?;
    show_end(&report);
    if outcome != Outcome::Passed
        && places.keep_failed
        && let Err(error) = keep(out, &scratch.join("results"))
    {
        // The test's own end is what counts.
        tracing::warn!(%error, "the results cannot be kept");
    }
    Ok(outcome)
}

/// The test proper; when it returns, no machine runs. What executes their instructions is told in `accelerator`.
async fn act(
    attributes: &Attributes,
    mode: Mode,
    out: &Path,
    scratch: &Path,
    events: &Events,
    accelerator: &mut Option<Choice>,
) -> Result<(), Fault> {
    let mut test = Test::resolve(attributes)
        .map_err(|complaints| Fault::new(Outcome::BadManifest, complaints.to_string()))?;
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
    let result = guard(script, limit, &stop).await;
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
    (fault.report.line, fault.report.column) = verdict.place.unzip();
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

/// Runs the script until it ends, the test's time is over, or a signal comes.
async fn guard(
    script: impl Future<Output = Result<(), Fault>>,
    limit: Option<Duration>,
    stop: &Stop,
) -> Result<(), Fault> {
    tokio::pin!(script);
    let (outcome, reason) = tokio::select! {
        result = &mut script => return result,
        limit = pass(limit) => {
            (Outcome::TimedOut, format!("the test did not end within {} seconds (globalTimeout)", limit.as_secs()))
        }
        signal = interruption() => (Outcome::Interrupted, format!("the runner got {signal}")),
    };
    stop.stop(&reason);
    let mut fault = Fault::new(outcome, reason.as_str());
    // The script's own traceback tells where it stood.
    if let Ok(Err(stopped)) = tokio::time::timeout(GRACE, script).await {
        fault.report.traceback = stopped.report.traceback;
        fault.report.line = stopped.report.line;
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

fn show_end(report: &Report) {
    if let Some(failure) = &report.failure {
        if !failure.traceback.is_empty() {
            say(failure.traceback.trim_end());
        }
        say(&failure.message);
    }
    let Report { name, duration, .. } = report;
    match report.outcome {
        Outcome::Passed => say(&format!(
            "vmtest: test `{name}` passed in {duration:.2} seconds"
        )),
        failed => say(&format!(
            "vmtest: test `{name}` failed in {duration:.2} seconds: {}",
            failed.describe()
        )),
    }
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

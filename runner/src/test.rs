//! One test, from manifest to report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use vmtest_manifest::Attributes;
use vmtest_script::Script;
use vmtest_script::failure::Failure;
use vmtest_switch::Switch;

use crate::bridge::{ScriptDriver, Stop};
use crate::event::{Event, Events};
use crate::machine::{Handle, Setup};
use crate::outcome::Outcome;
use crate::provision::provision;
use crate::report::{self, FailureReport, Report};
use crate::spec::Test;
use crate::vm::accel::{self, Choice};

/// Stack of the script's thread in bytes: the interpreter recurses with the script.
const SCRIPT_STACK: usize = 256 * 1024 * 1024;

/// How long a script may take to notice that it is to stop, and machines to end after it.
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
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            outcome: failure.kind.into(),
            report: FailureReport::from(&failure),
        }
    }
}

/// Runs a test to its end, whatever that is, and leaves its report.
///
/// # Errors
/// When the results cannot be written.
pub async fn run(attributes: &Attributes, places: &Places) -> Result<Outcome> {
    let start = Instant::now();
    let Places { out, scratch, .. } = places;
    fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let (events, receiver) = Events::new();
    let names = attributes.manifest.nodes.keys().map(String::as_str);
    let mut report = Report::new(&attributes.manifest.name, names);
    let act = async {
        let mut accelerator = None;
        let result = act(attributes, out, scratch, &events, &mut accelerator).await;
        // The script engine keeps its way for events until the process ends.
        events.emit(Event::End);
        (result, accelerator)
    };
    let ((result, accelerator), shown) = tokio::join!(act, report::follow(receiver, &mut report));
    shown.context("cannot write the log")?;

    let outcome = result
        .as_ref()
        .map_or_else(|fault| fault.outcome, |()| Outcome::Passed);
    report.acceleration = accelerator.map(|choice| choice.to_string());
    report.failure = result.err().map(|fault| fault.report);
    report.finish(outcome, start.elapsed());
    report::write(&report, out).context("cannot write the report")?;
    show_end(&report);
    if outcome != Outcome::Passed && places.keep_failed {
        keep(out, &scratch.join("results")).context("cannot keep the results")?;
    }
    Ok(outcome)
}

/// The test proper; when it returns, no machine runs.
async fn act(
    attributes: &Attributes,
    out: &Path,
    scratch: &Path,
    events: &Events,
    accelerator: &mut Option<Choice>,
) -> Result<(), Fault> {
    let test = Test::resolve(attributes)
        .map_err(|complaints| Fault::new(Outcome::BadManifest, complaints.to_string()))?;
    let stop = Stop::default();
    let script = async {
        let failed = |error: &dyn ToString| Fault::new(Outcome::MachineFailed, error.to_string());
        let choice = accel::choose(test.acceleration, &test.tools.qemu, scratch)
            .await
            .map_err(|e| failed(&e))?;
        events.info(choice.to_string());
        let accelerator = accelerator.insert(choice).accelerator;

        let images = scratch.join("machines");
        let build = {
            let (test, images) = (test.clone(), images.clone());
            tokio::task::spawn_blocking(move || provision(&test, &images))
        };
        let files = build
            .await
            .map_err(|e| failed(&e))?
            .map_err(|error| failed(&format!("{error:#}")))?;

        let switches: BTreeMap<u16, Switch> = test
            .vlans()
            .into_iter()
            .map(|vlan| (vlan, Switch::default()))
            .collect();
        let mut machines = Machines::default();
        for (machine, files) in test.machines.iter().zip(files) {
            let logs = out.join("machines").join(&machine.name);
            fs::create_dir_all(&logs).map_err(|e| failed(&e))?;
            machines.add(Setup {
                machine: machine.clone(),
                files,
                qemu: test.tools.qemu.clone(),
                accelerator,
                switches: switches.clone(),
                logs,
                events: events.clone(),
            });
        }
        let driver = ScriptDriver::new(
            &machines.handles,
            &test.vlans(),
            out,
            events.clone(),
            stop.clone(),
        );
        let result = run_script(&test, driver).await;
        machines.end().await;
        // Nobody looks at them any more, and a failed build may be kept.
        if let Err(error) = fs::remove_dir_all(&images) {
            events.warn(format!("{} cannot be removed: {error}", images.display()));
        }
        result
    };
    guard(script, test.timeout, &stop).await
}

/// Runs the script until it ends, the test's time is over, or a signal comes.
async fn guard(
    script: impl Future<Output = Result<(), Fault>>,
    limit: Duration,
    stop: &Stop,
) -> Result<(), Fault> {
    tokio::pin!(script);
    let (outcome, reason) = tokio::select! {
        result = &mut script => return result,
        () = tokio::time::sleep(limit) => {
            (Outcome::TimedOut, format!("the test did not end within {} seconds (globalTimeout)", limit.as_secs()))
        }
        signal = interruption() => (Outcome::Interrupted, format!("the runner got {signal}")),
    };
    stop.stop(&reason);
    let mut fault = Fault::new(outcome, reason.as_str());
    // The script's own traceback tells where it stood.
    if let Ok(Err(stopped)) = tokio::time::timeout(2 * GRACE, script).await {
        fault.report.traceback = stopped.report.traceback;
        fault.report.line = stopped.report.line;
    }
    Err(fault)
}

async fn interruption() -> &'static str {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

async fn run_script(test: &Test, driver: ScriptDriver) -> Result<(), Fault> {
    let (sender, result) = oneshot::channel();
    let script = Script {
        text: test.script.clone(),
        name: "testScript".to_owned(),
    };
    let thread = std::thread::Builder::new()
        .name("script".to_owned())
        .stack_size(SCRIPT_STACK);
    thread
        .spawn(move || {
            // A test that was stopped waits only so long for its script.
            let _ = sender.send(vmtest_script::run(&script, Arc::new(driver)));
        })
        .map_err(|error| {
            Fault::new(
                Outcome::MachineFailed,
                format!("cannot start the script: {error}"),
            )
        })?;
    match result.await {
        Ok(result) => result.map_err(Fault::from),
        Err(_) => Err(Fault::new(
            Outcome::ScriptError,
            "the script's interpreter broke down",
        )),
    }
}

/// The machines of a test.
#[derive(Default)]
struct Machines {
    handles: Vec<Handle>,
    tasks: Vec<JoinHandle<()>>,
}

impl Machines {
    fn add(&mut self, setup: Setup) {
        let (handle, task) = Handle::new(setup);
        self.handles.push(handle);
        self.tasks.push(task);
    }

    /// Ends them all, at once and without a farewell: nobody keeps what they would write.
    async fn end(self) {
        let kills: Vec<_> = self
            .handles
            .into_iter()
            .map(|handle| tokio::spawn(async move { handle.end().await }))
            .collect();
        for kill in kills {
            if let Ok(Err(failure)) = kill.await {
                tracing::error!(%failure, "a machine does not end");
            }
        }
        for task in self.tasks {
            task.abort();
        }
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the end of the log, after the last event"
)]
fn show_end(report: &Report) {
    if let Some(failure) = &report.failure {
        if !failure.traceback.is_empty() {
            eprintln!("{}", failure.traceback.trim_end());
        }
        eprintln!("{}", failure.message);
    }
    eprintln!(
        "vmtest: test `{}` {} in {:.2} seconds",
        report.name,
        report.outcome.describe(),
        report.duration
    );
}

/// Copies the results of a failed test to where Nix keeps them (`--keep-failed`).
fn keep(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            keep(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

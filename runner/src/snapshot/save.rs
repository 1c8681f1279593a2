//! How states of machines come to be saved, and how machines go back to them.
//!
//! Several machines are saved as they are at one moment: no command is being handed over to any of them, their network is
//! quiet if it can be, and they are stopped together before the first one is looked at. What is on its way between two of
//! them then is lost, as it can be on any network.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout};
use vmtest_script::backend::{MachineError, MachineErrorKind as Failure};

use super::{DEVICES, MEMORY, SaveError, Saved, copy, create, drives, name_of, open};
use crate::machine::Handle;
use crate::vm::launch::{Launch, Planned};
use crate::vm::qmp::{self, QmpError};

/// How long QEMU may take to write the state of a machine's devices, some MiB at most, or to read it.
pub const LOADING_TIME: Duration = Duration::from_secs(120);

/// Between two looks at how far QEMU is, which does not tell by itself.
const LOOK: Duration = Duration::from_millis(2);

/// The network is quiet when no frame has come for so long.
const QUIET: Duration = Duration::from_millis(30);

/// How long it is waited for.
const QUIET_TIME: Duration = Duration::from_millis(500);

/// Why machines are not saved that a command starts.
pub const UNKNOWN_DISKS: &str =
    "a machine of create_machine() cannot be saved: nobody but its start command knows its disks";

/// Saves machines as they are at one moment; they go on then.
///
/// # Errors
/// When one is not up, cannot be saved, or there is no room.
pub async fn save(machines: &[Handle]) -> Result<Vec<Arc<Saved>>, MachineError> {
    let holds = at_once(machines, |machine| async move { machine.hold().await }).await;
    let holds = all(machines, holds)?;
    let checks = at_once(
        machines,
        |machine| async move { drives::check(&machine).await },
    );
    all(machines, checks.await)?;
    wait_for_quiet(machines).await;
    let stopped = at_once(machines, |machine| told(machine, "stop")).await;
    let since: Vec<Option<Instant>> = stopped.iter().map(|at| at.clone().ok()).collect();
    let saved = match all(machines, stopped) {
        Ok(_) => all(
            machines,
            at_once(machines, |machine| async move { write(&machine).await }).await,
        ),
        Err(error) => Err(error),
    };
    let gone_on = at_once(machines, |machine| told(machine, "cont")).await;
    for ((hold, since), until) in holds.into_iter().zip(since).zip(&gone_on) {
        let still = since.zip(until.as_ref().ok());
        hold.end_after(still.map_or(Duration::ZERO, |(since, until)| *until - since));
    }
    let saved = saved?;
    all(machines, gone_on)?;
    Ok(saved)
}

/// Has QEMU do something, and notes when it has.
async fn told(machine: Handle, command: &'static str) -> Result<Instant, Failure> {
    machine.execute(command, json!({})).await?;
    Ok(Instant::now())
}

/// Has machines go back to states of theirs, whatever they do now, and go on together.
///
/// # Errors
/// When a state cannot be brought back, or a machine does not go on: then none of them runs.
pub async fn restore(machines: &[(Handle, Arc<Saved>)]) -> Result<(), MachineError> {
    let load = |(machine, saved): (Handle, Arc<Saved>)| async move {
        machine.load(&saved, saved.allow_reboot).await
    };
    let handles: Vec<Handle> = machines
        .iter()
        .map(|(machine, _)| machine.clone())
        .collect();
    let go_on = |machine: Handle| async move { machine.go_on().await };
    let restored = match all(&handles, at_once(machines, load).await) {
        Ok(_) => all(&handles, at_once(&handles, go_on).await),
        Err(error) => Err(error),
    };
    if restored.is_err() {
        // Those that were loaded wait, and nobody will have them go on; and those that run are not what they were together.
        at_once(&handles, |machine| async move { machine.end().await }).await;
    }
    restored.map(drop)
}

/// Does the same with each of them, at once.
pub async fn at_once<I: Clone, F, T>(items: &[I], act: impl Fn(I) -> F) -> Vec<Result<T, Failure>>
where
    F: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = items
        .iter()
        .map(|item| tokio::spawn(act(item.clone())))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        let broken = |error: tokio::task::JoinError| {
            Err(Failure::Broken {
                reason: error.to_string(),
            })
        };
        results.push(task.await.unwrap_or_else(broken));
    }
    results
}

/// All results, or the first failure with the machine's name.
///
/// # Errors
/// The first failure.
pub fn all<T>(
    machines: &[Handle],
    results: Vec<Result<T, Failure>>,
) -> Result<Vec<T>, MachineError> {
    let named = machines.iter().zip(results).map(|(machine, result)| {
        result.map_err(|kind| MachineError {
            machine: machine.name().to_owned(),
            kind,
        })
    });
    named.collect()
}

async fn wait_for_quiet(machines: &[Handle]) {
    let frames = || -> u64 {
        let mut switches: Vec<_> = machines.iter().flat_map(Handle::switches).collect();
        switches.sort_by_key(|(vlan, _)| *vlan);
        switches.dedup_by_key(|(vlan, _)| *vlan);
        switches
            .iter()
            .map(|(_, switch)| switch.counters().frames)
            .sum()
    };
    if machines.len() < 2 {
        return;
    }
    let deadline = Instant::now() + QUIET_TIME;
    let mut before = frames();
    while Instant::now() < deadline {
        sleep(QUIET).await;
        let now = frames();
        if now == before {
            return;
        }
        before = now;
    }
}

/// Writes the state of a machine that is stopped.
async fn write(machine: &Handle) -> Result<Arc<Saved>, Failure> {
    let planned = planned(machine)?;
    let status = machine.running()?;
    let (Some(qmp), Some(memory)) = (status.qmp, status.memory) else {
        return Err(Failure::NotRunning);
    };
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = planned.scratch.join(format!("saved{number}"));
    fs::create_dir_all(&folder).map_err(|error| refused(&error))?;
    // From here on the folder goes with it.
    let allow_reboot = status.state.allow_reboot();
    let saved = Saved::in_folder(&folder, allow_reboot, machine.forwards());
    let devices = write_devices(&qmp, folder.join(DEVICES));
    match timeout(LOADING_TIME, devices).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(refused(&error)),
        Err(_) => {
            return Err(Failure::TimedOut {
                what: "the state of the machine's devices, as QEMU writes it,".to_owned(),
                after: LOADING_TIME,
            });
        }
    }
    let disks: Vec<PathBuf> = planned.files.disks.all().map(Path::to_owned).collect();
    let copying = planned.copies.begin().await;
    // What is kept goes along: its folder is removed by whoever writes to it, when nobody waits for that any more.
    let copy = spawn_blocking(move || {
        let _copying = copying;
        copy_files(&folder, &memory, &disks).map(|()| Arc::new(saved))
    });
    match copy.await {
        Ok(copied) => copied.map_err(|error| refused(&error)),
        Err(error) => Err(refused(&error)),
    }
}

fn refused(error: &dyn std::error::Error) -> Failure {
    Failure::Refused {
        reason: format!("the machine cannot be saved: {error}"),
    }
}

/// The machine as the runner has planned it.
///
/// # Errors
/// When a command starts it: its disks and memory are not known.
pub fn planned(machine: &Handle) -> Result<&Planned, Failure> {
    match machine.launch() {
        Launch::Planned(planned) => Ok(planned),
        Launch::Command(_) => Err(Failure::Refused {
            reason: UNKNOWN_DISKS.to_owned(),
        }),
    }
}

async fn write_devices(qmp: &qmp::Client, to: PathBuf) -> Result<(), QmpError> {
    share_memory(qmp).await?;
    let uri = format!("file:{}", to.display());
    qmp.execute("migrate", json!({ "uri": uri })).await?;
    migrated(qmp).await
}

/// Has QEMU leave out of a state what is in a file that it shares: the memory.
///
/// # Errors
/// When QEMU refuses.
pub async fn share_memory(qmp: &qmp::Client) -> Result<(), QmpError> {
    let capability = json!({ "capability": "x-ignore-shared", "state": true });
    let arguments = json!({ "capabilities": [capability] });
    let set = qmp.execute("migrate-set-capabilities", arguments).await;
    set.map(drop)
}

/// Waits until QEMU has written or read a state.
///
/// # Errors
/// When it cannot, or ends.
pub async fn migrated(qmp: &qmp::Client) -> Result<(), QmpError> {
    loop {
        let state = qmp.execute("query-migrate", json!({})).await?;
        match state["status"].as_str() {
            Some("completed") => return Ok(()),
            Some(status @ ("failed" | "cancelled")) => {
                let reason = state["error-desc"].as_str().unwrap_or(status);
                return Err(QmpError::Refused {
                    command: "migrate".to_owned(),
                    class: "GenericError".to_owned(),
                    description: reason.to_owned(),
                });
            }
            _ => sleep(LOOK).await,
        }
    }
}

fn copy_files(folder: &Path, memory: &File, disks: &[PathBuf]) -> Result<(), SaveError> {
    let save = |from: &File, from_name: &Path, name: &str| {
        let path = folder.join(name);
        copy(from, from_name, &create(&path)?, &path)
    };
    save(memory, Path::new("the guest's memory"), MEMORY)?;
    for disk in disks {
        save(&open(disk)?, disk, &name_of(disk))?;
    }
    Ok(())
}

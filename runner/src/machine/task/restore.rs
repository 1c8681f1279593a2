//! A machine that goes on from where it was saved.

use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use vmtest_protocol::Resume;
use vmtest_script::backend::MachineErrorKind as Failure;

use super::{Running, Task};
use crate::machine::agent::now;
use crate::machine::console::clean::Cleaner;
use crate::machine::{CONSOLE_LOG, JOURNAL_LOG, QEMU_LOG};
use crate::snapshot::Saved;
use crate::snapshot::save::{LOADING_TIME, migrated, share_memory};
use crate::vm::launch::Launch;
use crate::vm::process::last_words;
use crate::vm::qmp::QmpError;

/// How long a QEMU that cannot load a state may take to say so and end.
const LAST_WORDS_TIME: Duration = Duration::from_secs(5);

impl Task {
    /// Gives QEMU, which waits for it, the state of the machine's devices; its memory and disks are there.
    pub(super) async fn load(&self, running: &mut Running) -> Result<(), Failure> {
        let Launch::Planned(planned) = &self.setup.launch else {
            let reason = "a machine of create_machine() cannot be restored".to_owned();
            return Err(Failure::CannotStart { reason });
        };
        let state = planned.device_state();
        let loading = async {
            // It cannot fail otherwise than the channel does.
            let _ = (&mut running.greeted).await;
            share_memory(&running.qmp).await?;
            let uri = format!("file:{}", state.display());
            let arguments = json!({ "uri": uri });
            running.qmp.execute("migrate-incoming", arguments).await?;
            migrated(&running.qmp).await
        };
        let loaded = match timeout(LOADING_TIME, loading).await {
            Ok(loaded) => loaded,
            Err(_) => Err(QmpError::NoAnswer {
                command: "migrate-incoming".to_owned(),
                after: LOADING_TIME,
            }),
        };
        if let Err(error) = tokio::fs::remove_file(&state).await {
            tracing::debug!(%error, "the state of devices stays");
        }
        match loaded {
            Ok(()) => Ok(()),
            Err(error) => {
                let mut reason = format!("its saved state cannot be loaded: {error}");
                // QEMU says why on its standard error, and ends.
                let _ = timeout(LAST_WORDS_TIME, running.qemu.wait()).await;
                let words = last_words(&self.setup.logs.join(QEMU_LOG)).await;
                if !words.is_empty() {
                    reason = format!("{reason}; it said: {words}");
                }
                Err(Failure::CannotStart { reason })
            }
        }
    }

    /// What the machine said when it booted, in another test, stands in its logs and in the transcript for scripts.
    pub(super) async fn replay(&self, saved: &Saved) {
        let Some(logs) = &saved.logs else { return };
        for name in [CONSOLE_LOG, JOURNAL_LOG] {
            let Ok(said) = tokio::fs::read(logs.join(name)).await else {
                continue;
            };
            if name == CONSOLE_LOG {
                let transcript = &self.record.transcript;
                transcript.push(&Cleaner::default().clean(&said));
                transcript.end_line();
            }
            let log = self.setup.logs.join(name);
            let mut options = tokio::fs::File::options();
            let appended = async {
                let mut log = options.create(true).append(true).open(&log).await?;
                log.write_all(&said).await?;
                log.flush().await
            };
            if let Err(error) = appended.await {
                let machine = &self.setup.name;
                let events = &self.setup.events;
                events.warn(format!("{machine}: {name} cannot be written: {error}"));
            }
        }
    }

    /// Lets a machine that was loaded go on, and tells its agent, which will say hello.
    pub(super) async fn go_on(&self, running: &Running) -> Result<(), Failure> {
        let failed = |reason: String| Failure::CannotStart { reason };
        let gone_on = running.qmp.execute("cont", json!({})).await;
        gone_on.map_err(|error| failed(error.to_string()))?;
        let mut seed = [0; 32];
        let drawn = getrandom(&mut seed, GetRandomFlags::empty());
        drawn.map_err(|error| failed(format!("there are no random numbers: {error}")))?;
        let resume = Resume {
            time_ns: now(),
            seed,
        };
        let told = running.agent.resume(resume).await;
        told.map_err(|error| failed(error.to_string()))
    }
}

//! What QEMU, the agent and the console say, and what that does to the machine.

use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use vmtest_protocol::boot::FAILURE;
use vmtest_script::event::Level;

use super::{ENDING_TIME, Running, Setup, Task};
use crate::event::Event;
use crate::machine::agent::News;
use crate::machine::console;
use crate::machine::lifecycle::{Event as Change, State};
use crate::vm::qmp::{AGENT_PORT, QmpEvent};

impl Task {
    pub(super) async fn qmp(&self, running: &mut Running, event: QmpEvent) {
        let reason = event.data["reason"].as_str().unwrap_or_default();
        self.record.qmp_events.push(event.text);
        match (event.name.as_str(), reason) {
            ("RESET", "guest-reset" | "host-qmp-system-reset") => {
                running.agent.reset();
                self.change(Change::Reset);
            }
            ("SHUTDOWN", "guest-reset" | "host-qmp-system-reset") => {
                running.kill_at = Some(Instant::now() + ENDING_TIME);
                self.change(Change::LastReset);
            }
            ("SHUTDOWN", "guest-shutdown") => {
                running.kill_at = Some(Instant::now() + ENDING_TIME);
                self.change(Change::PowerOff);
            }
            // By a command of its monitor, or a signal to its process: the script knows why.
            ("SHUTDOWN", "host-qmp-quit" | "host-signal") => self.change(Change::Kill),
            ("STOP", _) => {
                let status = running.qmp.execute("query-status", json!({})).await;
                if status.is_ok_and(|status| status["status"] == "internal-error") {
                    self.change(Change::Broken(
                        "the accelerator cannot run the guest (internal error)".into(),
                    ));
                    running.qemu.kill();
                }
            }
            ("VSERPORT_CHANGE", _) if event.data["id"] == AGENT_PORT => {
                let is_up = matches!(self.state(), State::Ready { .. });
                if is_up && event.data["open"] == false {
                    running.agent.reset();
                    self.change(Change::AgentGone);
                }
            }
            (name, _) => tracing::trace!(machine = self.setup.name, name, "QMP event"),
        }
    }

    /// The kernel is told to reset at once. Should it not, it is not waited for.
    pub(super) fn panic(&self, running: &mut Running, message: String) {
        self.change(Change::Panic(message));
        if matches!(self.state(), State::Ending(_)) {
            running.kill_at.get_or_insert(Instant::now() + ENDING_TIME);
        }
    }

    pub(super) async fn news(&self, running: &mut Running, news: News) {
        let Setup { events, name, .. } = &*self.setup;
        match news {
            News::Hello => {
                self.record.output.restarted();
                self.update(Change::Hello, |status| status.hellos += 1);
                events.emit(Event::Agent {
                    machine: name.clone(),
                });
                // It came through a root shell: the guest is as far as that takes.
                if running.root_shell.is_some() {
                    self.change(Change::Booted);
                }
            }
            News::RootShell => self.change(Change::Rebooting),
            News::NotInstalled(reason) => {
                self.change(Change::Broken(format!(
                    "the agent cannot be brought into the guest through its root shell: {reason}"
                )));
                running.qemu.kill();
            }
            News::Booted => {
                // What the root shell of the NixOS test driver says there: scripts wait for it.
                self.record.transcript.push_line("connecting to host...");
                self.change(Change::Booted);
            }
            News::Late(command, stream, bytes) => {
                self.record.output.late(command, stream, &bytes);
            }
            News::WrongVersion(version) => {
                self.change(Change::Broken(format!(
                    "its agent speaks version {version} of the protocol"
                )));
                running.qemu.kill();
            }
            News::Note(text) if text.starts_with(FAILURE) => {
                self.change(Change::Broken(text));
                running.qemu.kill();
            }
            News::Note(text) => {
                events.emit(Event::Runner(Level::Info, format!("{name}: agent: {text}")));
            }
            News::Journal(bytes) => {
                if let Err(error) = running.journal.take(&bytes, name, events).await {
                    events.warn(format!("{name}: the journal cannot be logged: {error}"));
                }
            }
        }
    }
}

/// Where the lines of a console go.
pub(super) struct ConsoleAudience<'a> {
    pub(super) setup: &'a Setup,
    pub(super) panics: mpsc::UnboundedSender<String>,
}

impl console::Audience for ConsoleAudience<'_> {
    fn line(&mut self, line: &str) {
        if let Some(message) = console::panic_message(line) {
            let _ = self.panics.send(message.to_owned());
        }
        self.setup.events.emit(Event::Console {
            machine: self.setup.name.clone(),
            line: line.to_owned(),
        });
    }

    fn warn(&mut self, text: &str) {
        let name = &self.setup.name;
        self.setup.events.warn(format!("{name}: {text}"));
    }
}

//! How a handle speaks to QEMU, and to the serial console.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use vmtest_script::backend::{ConsoleText, MachineErrorKind as Failure};

use super::handle::{Handle, unavailable};
use super::record::Forward;
use crate::vm::launch::Launch;
use crate::vm::plan::vlan_card;
use crate::vm::qmp::{self, QmpError};

/// How long the serial console may take to accept what is typed.
const TYPING_TIME: Duration = Duration::from_secs(30);

/// QEMU's name for the second network card of a machine that a command starts: the first is on the user network.
const SECOND_CARD: &str = "virtio-net-pci.1";

impl Handle {
    fn monitor_channel(&self) -> Result<qmp::Client, Failure> {
        let status = self.status.borrow();
        status.qmp.clone().ok_or_else(|| unavailable(&status.state))
    }

    pub(crate) async fn execute(&self, command: &str, arguments: Value) -> Result<Value, Failure> {
        let channel = self.monitor_channel()?;
        match channel.execute(command, arguments).await {
            Ok(value) => Ok(value),
            Err(QmpError::Refused {
                class, description, ..
            }) => Err(Failure::Qmp { class, description }),
            Err(QmpError::Closed) => Err(self.lost().await),
            Err(QmpError::NoAnswer { command, after }) => Err(Failure::TimedOut {
                what: format!("QEMU's answer to `{command}`"),
                after,
            }),
        }
    }

    /// Runs a command of QEMU's human monitor, and returns what it prints.
    ///
    /// # Errors
    /// When QEMU does not run. A command that does not exist is told in the answer only.
    pub async fn monitor(&self, command: &str) -> Result<String, Failure> {
        let arguments = json!({ "command-line": command });
        let answer = self.execute("human-monitor-command", arguments).await?;
        Ok(answer.as_str().unwrap_or_default().to_owned())
    }

    /// Runs a QMP command; arguments and result are JSON.
    ///
    /// # Errors
    /// When QEMU does not run or refuses, or the arguments are no JSON object.
    pub async fn qmp(&self, command: &str, arguments: &str) -> Result<String, Failure> {
        let arguments = match arguments {
            "" => Value::Object(serde_json::Map::new()),
            text => serde_json::from_str(text)
                .ok()
                .filter(Value::is_object)
                .ok_or_else(|| Failure::Refused {
                    reason: format!("the arguments of `{command}` are no JSON object: {text}"),
                })?,
        };
        Ok(self.execute(command, arguments).await?.to_string())
    }

    /// Takes the oldest QMP event since the machine's start that nobody has taken, waiting for one if need be; none when
    /// the time is over.
    ///
    /// # Errors
    /// When there is none and QEMU does not run.
    pub async fn next_qmp_event(&self, limit: Option<Duration>) -> Result<Option<String>, Failure> {
        let events = &self.record.qmp_events;
        let (mut pushed, mut status) = (events.pushed(), self.status.clone());
        let next = async {
            loop {
                pushed.mark_unchanged();
                let state = status.borrow_and_update().state.clone();
                // The last event of a QEMU that has ended was read before that is known.
                match events.take() {
                    Some(event) => return Ok(Some(event)),
                    None if !state.is_running() => return Err(unavailable(&state)),
                    None => {}
                }
                tokio::select! {
                    _ = pushed.changed() => {}
                    _ = status.changed() => {}
                }
            }
        };
        within(limit, next).await.unwrap_or(Ok(None))
    }

    /// Plugs the cable of the first interface on a VLAN (`eth1`) in, or takes it out.
    ///
    /// # Errors
    /// When QEMU does not run, or the machine has no such interface.
    pub async fn set_link(&self, up: bool) -> Result<(), Failure> {
        let name = match &self.setup.launch {
            Launch::Planned(planned) if planned.machine.interfaces.is_empty() => {
                return Err(Failure::Refused {
                    reason: "the machine has no interface on a VLAN".to_owned(),
                });
            }
            Launch::Planned(_) => vlan_card(0),
            Launch::Command(_) => SECOND_CARD.to_owned(),
        };
        let arguments = json!({ "name": name, "up": up });
        self.execute("set_link", arguments).await.map(drop)
    }

    /// Has a port of the host lead to a port of the guest, through QEMU's user network.
    ///
    /// # Errors
    /// When QEMU does not run, or cannot do it: the port may be in use.
    pub async fn forward_port(&self, host_port: u16, guest_port: u16) -> Result<(), Failure> {
        let command = format!("hostfwd_add tcp::{host_port}-:{guest_port}");
        match self.monitor(&command).await?.trim() {
            "" => {
                self.record.forwards.push(Forward {
                    host_port,
                    guest_port,
                });
                Ok(())
            }
            complaint => Err(Failure::Refused {
                reason: format!(
                    "the host's port {host_port} cannot lead to the guest's port {guest_port}: {complaint}"
                ),
            }),
        }
    }

    /// Types on the serial console.
    ///
    /// # Errors
    /// When QEMU does not run, or nobody in the guest reads for a while.
    pub async fn send_console(&self, bytes: &[u8]) -> Result<(), Failure> {
        let console = {
            let status = self.status.borrow();
            let console = status.console.clone();
            console.ok_or_else(|| unavailable(&status.state))?
        };
        let write = async { console.lock().await.write_all(bytes).await };
        match timeout(TYPING_TIME, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(self.lost().await),
            Err(_) => Err(Failure::TimedOut {
                what: "a reader of what was typed on the serial console".to_owned(),
                after: TYPING_TIME,
            }),
        }
    }

    /// What the serial console has shown from `position` on. Waits until there is something, the machine is off, or the
    /// time is over.
    pub async fn console_text(&self, position: u64, limit: Option<Duration>) -> ConsoleText {
        let transcript = &self.record.transcript;
        let (mut grown, mut status) = (transcript.grown(), self.status.clone());
        let something = async {
            loop {
                grown.mark_unchanged();
                // What a QEMU that has ended showed was read before that is known.
                let running = status.borrow_and_update().state.is_running();
                let (text, end) = transcript.from(position);
                if !text.is_empty() || !running {
                    return ConsoleText { text, end, running };
                }
                tokio::select! {
                    _ = grown.changed() => {}
                    _ = status.changed() => {}
                }
            }
        };
        match within(limit, something).await {
            Some(text) => text,
            None => ConsoleText {
                text: String::new(),
                end: position,
                running: self.state().is_running(),
            },
        }
    }
}

/// None when the time is over first.
async fn within<T>(limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => timeout(limit, future).await.ok(),
        None => Some(future.await),
    }
}

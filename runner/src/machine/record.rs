//! What is kept of a machine over its starts, for scripts that ask later.

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::console::transcript::Transcript;
use super::output::Output;
use crate::event::Events;

/// Most QMP events that wait for a script; then the oldest go.
const QMP_EVENTS: usize = 10_000;

/// What is kept of one machine.
#[derive(Debug)]
pub struct Record {
    /// What its console has shown.
    pub transcript: Arc<Transcript>,
    /// What QEMU has said by itself.
    pub qmp_events: QmpEvents,
    /// What its commands print.
    pub output: Arc<Output>,
    /// Ports of the host that lead into the guest while this QEMU runs.
    pub forwards: Forwards,
    /// How many pictures of its screen were taken to be read.
    pub pictures: AtomicU64,
}

impl Record {
    /// An empty one for the machine of this name.
    #[must_use]
    pub fn new(machine: &str, events: Events) -> Self {
        let transcript = Arc::new(Transcript::default());
        let output = Output::new(machine, events, Arc::clone(&transcript));
        Self {
            transcript,
            qmp_events: QmpEvents::default(),
            output: Arc::new(output),
            forwards: Forwards::default(),
            pictures: AtomicU64::new(0),
        }
    }
}

/// A port of the host that leads into a guest, by TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forward {
    /// The host's port.
    pub host_port: u16,
    /// The guest's port that it leads to.
    pub guest_port: u16,
}

/// Ports of the host that lead into a guest.
#[derive(Debug, Default)]
pub struct Forwards(Mutex<Vec<Forward>>);

impl Forwards {
    /// Adds one.
    pub fn push(&self, forward: Forward) {
        self.lock().push(forward);
    }

    /// All of them, in the order in which they were made.
    #[must_use]
    pub fn all(&self) -> Vec<Forward> {
        self.lock().clone()
    }

    /// They have ended with their QEMU.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Forward>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Events of QEMU that no script has taken, as JSON text.
#[derive(Debug, Default)]
pub struct QmpEvents {
    waiting: Mutex<VecDeque<String>>,
    pushed: watch::Sender<()>,
}

impl QmpEvents {
    /// Appends one.
    pub fn push(&self, event: String) {
        let mut waiting = self.lock();
        if waiting.len() == QMP_EVENTS {
            waiting.pop_front();
        }
        waiting.push_back(event);
        drop(waiting);
        self.pushed.send_replace(());
    }

    /// Takes the oldest.
    #[must_use]
    pub fn take(&self) -> Option<String> {
        self.lock().pop_front()
    }

    /// Forgets them: QEMU is started anew.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Tells whenever there is one more.
    #[must_use]
    pub fn pushed(&self) -> watch::Receiver<()> {
        self.pushed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_in_order_and_the_oldest_go() {
        let events = QmpEvents::default();
        for number in 0..QMP_EVENTS + 5 {
            events.push(number.to_string());
        }
        assert_eq!(events.take(), Some("5".into()));
        assert_eq!(events.take(), Some("6".into()));
        events.clear();
        assert_eq!(events.take(), None);
    }
}

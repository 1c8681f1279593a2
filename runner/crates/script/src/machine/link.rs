//! What a machine object remembers of the virtual machine behind it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustpython_vm::PyObjectRef;

use super::console::Seen;
use crate::backend;

/// The virtual machine behind machine objects.
pub(super) struct Link {
    pub(super) backend: Arc<dyn backend::Machine>,
    /// Whether the script has started it and not yet seen its end. A machine that dies in between stays `booted`, so
    /// that the next command fails instead of starting it again unnoticed.
    booted: AtomicBool,
    /// Held by the thread that starts it.
    pub(super) starting: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// What the script wrote to `connected`, until it is true or the machine starts anew.
    pub(super) connected: Option<bool>,
    /// What waits have seen of the console.
    pub(super) console: Seen,
    /// The object `process` of the QEMU that was started last.
    pub(super) process: Option<PyObjectRef>,
    /// The object `shell` of this boot.
    pub(super) shell: Option<PyObjectRef>,
    /// The object `last_lines` of this run.
    pub(super) last_lines: Option<PyObjectRef>,
    /// The object `qmp_client`.
    pub(super) qmp_client: Option<PyObjectRef>,
}

impl Link {
    pub(super) fn new(backend: &Arc<dyn backend::Machine>) -> Self {
        Self {
            backend: Arc::clone(backend),
            booted: AtomicBool::new(backend.is_booted()),
            starting: Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// Held only while no Python code runs.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_booted(&self) -> bool {
        self.booted.load(Ordering::Acquire)
    }

    pub(super) fn set_booted(&self, booted: bool) {
        self.booted.store(booted, Ordering::Release);
    }

    pub(super) fn is_connected(&self) -> bool {
        let written = self.state().connected;
        written.unwrap_or_else(|| self.is_booted() && self.backend.is_connected())
    }

    /// Forgets what was true of the boot before.
    pub(super) fn forget_boot(&self) {
        let shell = {
            let mut state = self.state();
            state.connected = None;
            state.shell.take()
        };
        // Not while the state is locked: its end may take a while.
        drop(shell);
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("machine", &self.backend.name())
            .finish_non_exhaustive()
    }
}

//! Shells in guests, as scripts want them.

use std::time::Duration;

use vmtest_script::backend::{MachineError, Shell};

use super::calls::Calls;
use crate::machine::shell::GuestShell;

pub(super) struct ScriptShell {
    pub(super) shell: GuestShell,
    pub(super) calls: Calls,
}

impl Shell for ScriptShell {
    fn send(&self, bytes: &[u8]) -> Result<(), MachineError> {
        self.calls.call(self.shell.send(bytes))
    }

    fn receive(&self, timeout: Option<Duration>) -> Result<Option<Vec<u8>>, MachineError> {
        self.calls
            .call(async { Ok(self.shell.receive(timeout).await) })
    }
}

//! Calls of a script on what belongs to one machine.

use tokio::runtime::Handle as Runtime;
use vmtest_script::backend::{Aborted, MachineError, MachineErrorKind};

use super::Stop;

/// Makes calls block, and end when the test is stopped.
#[derive(Debug, Clone)]
pub(super) struct Calls {
    pub(super) machine: String,
    pub(super) runtime: Runtime,
    pub(super) stop: Stop,
}

impl Calls {
    pub(super) fn call<T>(
        &self,
        call: impl Future<Output = Result<T, MachineErrorKind>>,
    ) -> Result<T, MachineError> {
        let result = self.runtime.block_on(async {
            tokio::select! {
                result = call => result,
                Aborted { reason } = self.stop.stopped() => Err(MachineErrorKind::Aborted { reason }),
            }
        });
        result.map_err(|kind| MachineError {
            machine: self.machine.clone(),
            kind,
        })
    }
}

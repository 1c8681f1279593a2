//! Whose turn it is to boot.
//!
//! A machine that boots keeps an emulated processor busy for many seconds. If all machines of a large test did so at once, each
//! would take so long that time-outs in its own guest passed. So a few boot at once, and the others wait with QEMU paused. The
//! turn is over when the guest is up, or takes long: it may wait for another machine.

use std::future;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use crate::vm::accel::Accelerator;

/// Machines that boot at once, for each processor of the host's.
const PER_PROCESSOR: usize = 4;

/// How long a machine keeps its turn that does not come up.
const TURN: Duration = Duration::from_secs(120);

/// The turns of all machines of a test; cloning gives another handle to the same ones.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Semaphore>);

impl Turns {
    /// Those of machines that run so; none where all may boot at once.
    #[must_use]
    pub fn for_machines_on(accelerator: Accelerator) -> Option<Self> {
        let processors = available_parallelism().map_or(1, NonZero::get);
        match accelerator {
            Accelerator::Kvm => None,
            Accelerator::Tcg => Some(Self::of(processors * PER_PROCESSOR)),
        }
    }

    /// So many at once.
    #[must_use]
    pub fn of(at_once: usize) -> Self {
        Self(Arc::new(Semaphore::new(at_once)))
    }

    /// One machine wants to boot.
    pub(super) fn queue(&self) -> Turn {
        match Arc::clone(&self.0).try_acquire_owned() {
            Ok(permit) => Turn::booting(permit),
            Err(_) => Turn::Waiting(Arc::clone(&self.0)),
        }
    }
}

/// One machine's turn.
#[derive(Debug)]
pub(super) enum Turn {
    /// It has not come yet.
    Waiting(Arc<Semaphore>),
    /// It is now.
    Booting {
        _permit: OwnedSemaphorePermit,
        until: Instant,
    },
    /// It is over, or was never needed.
    Over,
}

impl Turn {
    fn booting(permit: OwnedSemaphorePermit) -> Self {
        Self::Booting {
            _permit: permit,
            until: Instant::now() + TURN,
        }
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// Waits until the turn comes, or is over for its time; may be dropped and called again.
    pub(super) async fn next(&mut self) {
        match self {
            Self::Waiting(turns) => match Arc::clone(turns).acquire_owned().await {
                Ok(permit) => *self = Self::booting(permit),
                // Nobody closes it.
                Err(_) => *self = Self::Over,
            },
            Self::Booting { until, .. } => {
                sleep_until(*until).await;
                *self = Self::Over;
            }
            Self::Over => future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_next_one_comes_when_one_is_up_or_takes_long() {
        let turns = Turns::of(2);
        let mut machines = [turns.queue(), turns.queue(), turns.queue(), turns.queue()];
        let waiting = |machines: &[Turn; 4]| machines.each_ref().map(Turn::is_waiting);
        assert_eq!(waiting(&machines), [false, false, true, true]);
        machines[1] = Turn::Over;
        machines[2].next().await;
        assert_eq!(waiting(&machines), [false, false, false, true]);
        let start = Instant::now();
        machines[0].next().await;
        assert_eq!(start.elapsed(), TURN);
        machines[3].next().await;
        assert_eq!(waiting(&machines), [false; 4]);
    }
}

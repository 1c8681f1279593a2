//! When the guest is up: commands find what they may expect of a machine that has booted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use vmtest_protocol::ToHost;

use super::init::Init;
use super::task::{Stopped, Task};
use super::wait::{Pauses, UnitWatch, until};
use crate::boot::shares;

/// The first pause between two looks at the first process, and the longest.
const PAUSES: Pauses = Pauses::new(Duration::from_millis(10), Duration::from_millis(100));

/// The point of systemd's boot at which services start; a shell for tests that is itself a service starts no sooner.
const POINT: &str = "basic.target";

/// Tells the runner as soon as the guest is up, unless the task is cancelled first. What was told once stays true: a machine
/// goes on from where it was saved, and another boot has another agent.
pub(super) fn announce(task: &Task, booted: &AtomicBool) {
    if !booted.load(Ordering::Relaxed) {
        if wait(task).is_err() {
            return;
        }
        // Before the first command: it may look for them.
        shares::complete();
        booted.store(true, Ordering::Relaxed);
    }
    let _ = task.send(&ToHost::Booted);
}

fn wait(task: &Task) -> Result<(), Stopped> {
    let mut pauses = PAUSES;
    loop {
        match Init::now() {
            Init::Other(_) => return Ok(()),
            Init::Coming => task.sleep(pauses.next())?,
            Init::Systemd => break,
        }
    }
    if let Ok(mut point) = UnitWatch::new(POINT, None, Some("active".into())) {
        // It is waited for without end: whatever ends that is a reason to go on.
        let _ = until(task, &mut point);
    }
    task.check()
}

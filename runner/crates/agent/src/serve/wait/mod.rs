//! Waits for something in the guest: looks at it, and looks again when something has happened to it.
//!
//! Where the kernel or systemd tells of what happens, nothing is looked at in between; else the looks are a few
//! milliseconds apart, and cost little each. A wait looks at least once, and once more when its time is over.
//!
//! - [`file`], [`unix`]: files, and sockets in the file system, with [`place`]: the watching of directories;
//! - [`tcp`], [`udp`]: ports, with [`resolve`]: the guest's host names, and [`listens`]: news of listeners;
//! - [`unit`]: units of systemd.

mod file;
mod listens;
mod place;
mod resolve;
mod tcp;
mod udp;
mod unit;
mod unix;

use std::sync::Arc;
use std::time::Duration;

use vmtest_protocol::{Condition, Failure, Outcome};

use super::connection::Finished;
use super::shell::Shell;
use super::task::{Stopped, Task};
pub(super) use unit::UnitWatch;

/// Something to wait for.
pub(super) trait Watch {
    /// Looks at it, however little time is left.
    fn look(&mut self, task: &Task) -> Result<Look, Vain>;

    /// Returns when another look may show something else.
    fn rest(&mut self, task: &Task) -> Result<(), Stopped>;
}

/// What a look has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The condition holds.
    Holds,
    /// It does not yet; what there was instead.
    NotYet(String),
}

/// Why a look has shown nothing, and there will be no other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Vain {
    /// Nobody may wait any longer.
    Stopped(Stopped),
    /// The condition can never hold.
    Never(Failure),
}

impl From<Stopped> for Vain {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// Waits for a condition.
pub(super) fn wait(task: &Task, shell: &Arc<Shell>, condition: Condition) -> Finished {
    match condition {
        Condition::TcpOpen { host, port } => told_first(task, tcp::Open::new(&host, port)),
        Condition::TcpClosed { host, port } => told_first(task, tcp::Closed::new(&host, port)),
        Condition::UdpOpen { port } => told_first(task, udp::Bound::new(port)),
        Condition::UnixOpen { path, datagram } => match unix::Open::new(&path, datagram) {
            Ok(watch) => told_first(task, watch),
            Err(failure) => Err(failure).into(),
        },
        Condition::File { word } => match file::Exists::new(shell, &word) {
            Ok(watch) => told_first(task, watch),
            Err(failure) => Err(failure).into(),
        },
        Condition::Unit { unit, user, state } => {
            match UnitWatch::new(&unit, user.as_deref(), state) {
                Ok(watch) => told_first(task, watch),
                Err(failure) => Err(failure).into(),
            }
        }
    }
}

/// Waits, and has the runner told of the end before anything is cleared away: that takes the kernel a while.
fn told_first(task: &Task, mut watch: impl Watch + 'static) -> Finished {
    Finished {
        result: until(task, &mut watch),
        afterwards: Some(Box::new(move |_| drop(watch))),
    }
}

/// Looks again and again until the condition holds.
pub(super) fn until(task: &Task, watch: &mut impl Watch) -> Result<Outcome, Failure> {
    let mut stopped = None;
    let mut last = String::new();
    loop {
        match watch.look(task) {
            Ok(Look::Holds) => return Ok(Outcome::Complete),
            Ok(Look::NotYet(seen)) => last = seen,
            Err(Vain::Never(failure)) => return Err(failure),
            Err(Vain::Stopped(reason)) => stopped = Some(reason),
        }
        match stopped {
            None => {}
            Some(Stopped(Outcome::TimedOut { .. })) => return Ok(Outcome::TimedOut { last }),
            Some(Stopped(outcome)) => return Ok(outcome),
        }
        // With a stop there is one more look.
        stopped = watch.rest(task).err();
        if let Some(Stopped(outcome @ Outcome::Cancelled)) = stopped {
            return Ok(outcome);
        }
    }
}

/// Pauses that grow, between looks that nothing calls for.
#[derive(Debug, Clone)]
pub(super) struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    /// The next pause.
    pub(super) fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 3 / 2).min(self.longest);
        pause
    }
}

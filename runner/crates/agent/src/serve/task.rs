//! What all requests have in common: a number, a deadline, the way to be cancelled, the way out for messages.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::io::Errno;
use vmtest_protocol::{Outcome, RequestId, ToHost};

use super::queue::Queue;
use super::timespec;

/// A request under way.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) id: RequestId,
    deadline: Option<Instant>,
    cancelled: AtomicBool,
    /// Readable once the task is cancelled.
    wake: OwnedFd,
    queue: Arc<Queue>,
}

/// The task is to end before it is done: why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stopped(pub(super) Outcome);

impl Stopped {
    fn out_of_time() -> Self {
        Self(Outcome::TimedOut {
            last: String::new(),
        })
    }
}

impl Task {
    /// A task that ends after `timeout_ms` milliseconds, or never.
    pub(super) fn new(
        id: RequestId,
        timeout_ms: Option<u64>,
        queue: Arc<Queue>,
    ) -> Result<Self, Errno> {
        let limit = timeout_ms.map(Duration::from_millis);
        Ok(Self {
            id,
            deadline: limit.and_then(|limit| Instant::now().checked_add(limit)),
            cancelled: AtomicBool::new(false),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            queue,
        })
    }

    /// Has the task end soon.
    pub(super) fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        let _ = rustix::io::write(&self.wake, &1u64.to_ne_bytes());
        self.queue.nudge();
    }

    /// Whether the task is to go on.
    pub(super) fn check(&self) -> Result<(), Stopped> {
        if self.cancelled.load(Ordering::SeqCst) {
            return Err(Stopped(Outcome::Cancelled));
        }
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(Stopped::out_of_time()),
            _ => Ok(()),
        }
    }

    /// Sends a message as soon as there is room for it.
    pub(super) fn send(&self, message: &ToHost) -> Result<(), Stopped> {
        let stop = || self.cancelled.load(Ordering::SeqCst);
        match self.queue.send(message, stop, self.deadline) {
            Ok(true) => Ok(()),
            Ok(false) => self.check().and(Err(Stopped::out_of_time())),
            Err(_) => Err(Stopped(Outcome::Cancelled)),
        }
    }

    /// Sends a message if there is room for it.
    pub(super) fn try_send(&self, message: &ToHost) {
        self.queue.try_send(message);
    }

    /// Waits until one of `fds` is ready, at most `limit`, or until the task is to end; says which are ready.
    pub(super) fn poll(
        &self,
        fds: &[PollFd<'_>],
        limit: Option<Duration>,
    ) -> Result<Vec<bool>, Stopped> {
        let mut all = Vec::with_capacity(fds.len() + 1);
        all.push(PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN));
        all.extend_from_slice(fds);
        let now = Instant::now();
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now));
        let limit = [left, limit].into_iter().flatten().min();
        let polled = poll(&mut all, limit.map(timespec).as_ref());
        self.check()?;
        let ready = |fd: &PollFd<'_>| polled.is_ok() && !fd.revents().is_empty();
        Ok(all[1..].iter().map(ready).collect())
    }

    /// Waits, or finds that the task is to end.
    pub(super) fn sleep(&self, time: Duration) -> Result<(), Stopped> {
        self.poll(&[], Some(time)).map(drop)
    }

    /// Waits for one file to be ready, at most `limit`; says whether it is.
    pub(super) fn wait_for(
        &self,
        fd: BorrowedFd<'_>,
        flags: PollFlags,
        limit: Option<Duration>,
    ) -> Result<bool, Stopped> {
        let ready = self.poll(&[PollFd::from_borrowed_fd(fd, flags)], limit)?;
        Ok(ready.contains(&true))
    }
}

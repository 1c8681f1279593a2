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

/// How long a look at something may take when the time for it is over: whatever its time, a wait looks once.
const LAST_LOOK: Duration = Duration::from_secs(2);

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
    pub(super) fn out_of_time() -> Self {
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
        if self.is_cancelled() {
            return Err(Stopped(Outcome::Cancelled));
        }
        match self.deadline {
            Some(deadline) if deadline <= Instant::now() => Err(Stopped::out_of_time()),
            _ => Ok(()),
        }
    }

    /// Sends a message as soon as there is room for it.
    pub(super) fn send(&self, message: &ToHost) -> Result<(), Stopped> {
        let stop = || self.is_cancelled();
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

    /// Sends a message of a task that has ended, as soon as there is room for it.
    pub(super) fn send_late(&self, message: &ToHost) {
        let _ = self.queue.send(message, || false, None);
    }

    /// Waits until one of `fds` is ready, at most `limit`, or until the task is to end; says which are ready.
    pub(super) fn poll(
        &self,
        fds: &[PollFd<'_>],
        limit: Option<Duration>,
    ) -> Result<Vec<bool>, Stopped> {
        let ready = self.poll_for(fds, [self.left(), limit].into_iter().flatten().min());
        self.check()?;
        Ok(ready)
    }

    fn left(&self) -> Option<Duration> {
        let now = Instant::now();
        self.deadline
            .map(|deadline| deadline.saturating_duration_since(now))
    }

    fn poll_for(&self, fds: &[PollFd<'_>], limit: Option<Duration>) -> Vec<bool> {
        let mut all = Vec::with_capacity(fds.len() + 1);
        all.push(PollFd::from_borrowed_fd(self.wake.as_fd(), PollFlags::IN));
        all.extend_from_slice(fds);
        let polled = poll(&mut all, limit.map(timespec).as_ref());
        let ready = |fd: &PollFd<'_>| polled.is_ok() && !fd.revents().is_empty();
        all[1..].iter().map(ready).collect()
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

    /// The same for a look at something, which may outlast the task's time, by a moment.
    pub(super) fn look_at(
        &self,
        fd: BorrowedFd<'_>,
        flags: PollFlags,
        limit: Option<Duration>,
    ) -> Result<bool, Stopped> {
        let limit = [Some(self.for_look()), limit].into_iter().flatten().min();
        let ready = self.poll_for(&[PollFd::from_borrowed_fd(fd, flags)], limit);
        if self.is_cancelled() {
            return Err(Stopped(Outcome::Cancelled));
        }
        Ok(ready.contains(&true))
    }

    /// How long a look at something may take.
    pub(super) fn for_look(&self) -> Duration {
        self.left()
            .map_or(Duration::MAX, |left| left.max(LAST_LOOK))
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }
}

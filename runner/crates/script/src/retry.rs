//! Trying again until something holds or the time is over.

use std::time::Duration;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyResult, VirtualMachine};

use crate::errors::add_note;
use crate::session::Session;
use crate::timeouts::Timeout;

/// The pause after the first try; each further one is half as long again.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long to pause between two tries.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// Longer each time.
    Growing,
    /// Always as long as this.
    Every(Duration),
}

/// What one try came to.
pub(crate) enum Try<T> {
    /// It holds.
    Done(T),
    /// Not yet; with what was seen, for the error if this was the last try.
    NotYet(String),
}

/// Tries at once, then in growing intervals, and once more when the time is over; that try is told so.
///
/// `what` says in the error what was waited for.
pub(crate) fn until<T>(
    session: &Session,
    what: &str,
    timeout: &Timeout,
    vm: &VirtualMachine,
    attempt: impl FnMut(bool) -> PyResult<Try<T>>,
) -> PyResult<T> {
    until_paced(session, what, timeout, Pace::Growing, vm, attempt)
}

/// The same, with other intervals.
pub(crate) fn until_paced<T>(
    session: &Session,
    what: &str,
    timeout: &Timeout,
    pace: Pace,
    vm: &VirtualMachine,
    mut attempt: impl FnMut(bool) -> PyResult<Try<T>>,
) -> PyResult<T> {
    let started = session.driver().now();
    let elapsed = || session.driver().now().saturating_duration_since(started);
    let mut pause = match pace {
        Pace::Growing => FIRST_PAUSE,
        Pace::Every(interval) => interval,
    };
    loop {
        let left = timeout.limit.map(|limit| limit.saturating_sub(elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            break;
        }
        if let Try::Done(value) = attempt(false)? {
            return Ok(value);
        }
        session.sleep(left.map_or(pause, |left| pause.min(left)), vm)?;
        if let Pace::Growing = pace {
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }
    match attempt(true)? {
        Try::Done(value) => Ok(value),
        Try::NotYet(seen) => Err(timed_out(session, what, timeout, elapsed(), &seen, vm)),
    }
}

/// The exception for a wait whose time is over.
pub(crate) fn timed_out(
    session: &Session,
    what: &str,
    timeout: &Timeout,
    elapsed: Duration,
    seen: &str,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let seconds = elapsed.as_secs_f64();
    let colon = if what.is_empty() { "" } else { ": " };
    let exception = session.failed(
        format!("action timed out after {seconds:.2} seconds (timeout={timeout}){colon}{what}"),
        vm,
    );
    if !seen.is_empty() {
        // A note that cannot be added must not hide the failure itself.
        let _ = add_note(&exception, format!("last try: {seen}"), vm);
    }
    exception
}

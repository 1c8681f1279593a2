//! A machine that was saved goes on: what it cannot know of the world is made good.
//!
//! Each part is tried, whatever becomes of the others: a guest may have no clock of its own.

use std::fs::{self, File};
use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime, clock_settime};
use vmtest_protocol::Resume;

use super::timespec;
use crate::ioctl;
use crate::kmsg::{Level, note};

/// The kernel's random number generator: what is written to it goes into its pool.
const RANDOM: &str = "/dev/urandom";

/// The clock that runs while a machine is off.
const HARDWARE_CLOCK: &str = "/dev/rtc0";

pub(super) fn resume(resume: &Resume) {
    let seeded = fs::write(RANDOM, resume.seed)
        .and_then(|()| ioctl::reseed(&File::options().write(true).open(RANDOM)?));
    if let Err(error) = seeded {
        note(
            Level::Critical,
            &format!("random numbers go on as they did before: {error}"),
        );
    }
    let time = Duration::from_nanos(resume.time_ns);
    put(&System, time);
    if let Ok(clock) = File::options().write(true).open(HARDWARE_CLOCK)
        && let Err(error) = ioctl::set_hardware_clock(&clock, time.as_secs())
    {
        note(
            Level::Info,
            &format!("the hardware clock cannot be set: {error}"),
        );
    }
}

/// The machine stood still for so many nanoseconds, and the system's clock with it: what was set there before stays set.
/// The hardware clock is QEMU's, which goes on by the host's all the time.
pub(super) fn stood_still(clock: &impl Clock, still_ns: u64) {
    put(clock, clock.now() + Duration::from_nanos(still_ns));
}

fn put(clock: &impl Clock, time: Duration) {
    if let Err(error) = clock.set(time) {
        note(
            Level::Critical,
            &format!("the clock cannot be set: {error}"),
        );
    }
}

/// A clock that tells the time since 1970, UTC.
pub(super) trait Clock {
    fn now(&self) -> Duration;

    fn set(&self, time: Duration) -> io::Result<()>;
}

/// The guest's own.
pub(super) struct System;

impl Clock for System {
    fn now(&self) -> Duration {
        // Before 1970 it is as if it were 1970.
        clock_gettime(ClockId::Realtime)
            .try_into()
            .unwrap_or_default()
    }

    fn set(&self, time: Duration) -> io::Result<()> {
        Ok(clock_settime(ClockId::Realtime, timespec(time))?)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::SystemTime;

    use super::*;

    /// One that nobody else sees.
    struct Fake(Cell<Duration>);

    impl Clock for Fake {
        fn now(&self) -> Duration {
            self.0.get()
        }

        fn set(&self, time: Duration) -> io::Result<()> {
            self.0.set(time);
            Ok(())
        }
    }

    #[test]
    fn a_clock_that_was_set_is_put_forward_from_there() {
        let clock = Fake(Cell::new(Duration::from_secs(100)));
        stood_still(&clock, 2_500_000_000);
        assert_eq!(clock.now(), Duration::from_millis(102_500));
        stood_still(&clock, 0);
        assert_eq!(clock.now(), Duration::from_millis(102_500));
    }

    #[test]
    fn the_systems_clock_tells_the_time() {
        let told = || SystemTime::UNIX_EPOCH.elapsed().expect("after 1970");
        let (before, now, after) = (told(), System.now(), told());
        assert!(
            (before..=after).contains(&now),
            "{before:?} {now:?} {after:?}"
        );
    }
}

//! A machine that was saved goes on: what it cannot know of the world is made good.
//!
//! Each part is tried, whatever becomes of the others: a guest may have no clock of its own.

use std::fs::{self, File};
use std::time::Duration;

use rustix::time::{ClockId, clock_settime};
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
    set_clocks(resume.time_ns);
}

/// The time is nanoseconds since 1970, UTC.
pub(super) fn set_clocks(time_ns: u64) {
    let time = Duration::from_nanos(time_ns);
    if let Err(error) = clock_settime(ClockId::Realtime, timespec(time)) {
        note(
            Level::Critical,
            &format!("the clock cannot be set: {error}"),
        );
    }
    if let Ok(clock) = File::options().write(true).open(HARDWARE_CLOCK)
        && let Err(error) = ioctl::set_hardware_clock(&clock, time.as_secs())
    {
        note(
            Level::Info,
            &format!("the hardware clock cannot be set: {error}"),
        );
    }
}

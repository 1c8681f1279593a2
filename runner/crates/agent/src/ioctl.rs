//! Controls of the kernel's devices that have no safe form.
//!
//! Numbers and layouts: `linux/random.h`, `linux/rtc.h`.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

/// `RNDRESEEDCRNG`: random numbers follow from the pool as it is now.
const RESEED: libc::Ioctl = 0x5207;

/// `RTC_SET_TIME`, with the nine numbers of a `struct rtc_time`.
const SET_TIME: libc::Ioctl = 0x4024_700a;

/// Has the kernel's random number generator, an open `/dev/urandom`, draw a new key from its pool.
///
/// # Errors
/// When the pool was never full, or the kernel is older than 4.14.
pub(crate) fn reseed(random: &File) -> io::Result<()> {
    // SAFETY: the control takes no argument, and the descriptor is open.
    match unsafe { libc::ioctl(random.as_raw_fd(), RESEED) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sets an open hardware clock, to seconds since 1970, UTC.
///
/// # Errors
/// When it cannot be set.
pub(crate) fn set_hardware_clock(clock: &File, seconds: u64) -> io::Result<()> {
    let seconds = libc::time_t::try_from(seconds).map_err(io::Error::other)?;
    // SAFETY: a structure of numbers and a pointer that nobody reads may be all zeros.
    let mut time: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both point to what they are said to, for as long as the call takes.
    let time = unsafe { libc::gmtime_r(&raw const seconds, &raw mut time).as_ref() };
    let Some(time) = time else {
        return Err(io::Error::last_os_error());
    };
    let numbers: [libc::c_int; 9] = [
        time.tm_sec,
        time.tm_min,
        time.tm_hour,
        time.tm_mday,
        time.tm_mon,
        time.tm_year,
        0,
        0,
        0,
    ];
    // SAFETY: the kernel reads nine numbers.
    match unsafe { libc::ioctl(clock.as_raw_fd(), SET_TIME, numbers.as_ptr()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

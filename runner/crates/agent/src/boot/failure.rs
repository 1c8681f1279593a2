//! What is done when the guest cannot be booted: say why, wherever it can be heard, and go off.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::system::{RebootCommand, reboot};
use vmtest_protocol::boot::FAILURE;
use vmtest_protocol::{PORT_NAME, PREAMBLE, ToHost, encode};

use super::devices;
use crate::kmsg::{Level, note};
use crate::serve::{greeting, timespec};

/// The runner answers the hello: then it has read what came with it.
const FOR_AN_ANSWER: Duration = Duration::from_secs(2);

/// Says why the guest cannot be booted, and powers the machine off.
///
/// Where that fails, this process ends, and the kernel panics for want of it.
pub(super) fn give_up(port: Option<OwnedFd>, why: &str) -> ! {
    let text = format!("{FAILURE}{why}");
    note(Level::Critical, &text);
    if let Some(port) = port.or_else(|| devices::open_present_port(PORT_NAME)) {
        tell(port, &text);
    }
    note(Level::Critical, "powering off");
    let _ = reboot(RebootCommand::PowerOff);
    std::process::exit(1)
}

fn tell(port: OwnedFd, text: &str) {
    let frames = [greeting(0), ToHost::Note(text.into())]
        .iter()
        .flat_map(|message| encode(message).unwrap_or_default())
        .collect::<Vec<u8>>();
    let mut port = std::fs::File::from(port);
    if port
        .write_all(&[PREAMBLE.as_slice(), &frames].concat())
        .is_ok()
    {
        let answer = PollFd::new(&port, PollFlags::IN);
        let _ = poll(&mut [answer], Some(&timespec(FOR_AN_ANSWER)));
    }
}

//! Waits for TCP ports to open or to close, by connecting to them.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::resolve::Resolver;
use super::task::{Stopped, Task};

/// Between the first two attempts.
const FIRST: Duration = Duration::from_millis(2);

/// Between attempts later on.
const LONGEST: Duration = Duration::from_millis(50);

/// How long one attempt may take: the port of a host that is not there neither opens nor refuses.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Waits until the port is `open`, or is not.
pub(super) fn wait(task: &Task, host: &str, port: u16, open: bool) -> Result<(), Stopped> {
    let mut resolver = Resolver::new(host);
    let mut pause = FIRST;
    loop {
        if answers(task, &mut resolver, port)? == open {
            return Ok(());
        }
        task.sleep(pause)?;
        pause = (pause * 3 / 2).min(LONGEST);
    }
}

/// Whether the port takes a connection at one of the host's addresses.
fn answers(task: &Task, resolver: &mut Resolver, port: u16) -> Result<bool, Stopped> {
    for address in resolver.addresses() {
        if attempt(task, SocketAddr::new(address, port))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn attempt(task: &Task, address: SocketAddr) -> Result<bool, Stopped> {
    task.check()?;
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok(socket) = socket_with(family, SocketType::STREAM, flags, None) else {
        return Ok(false);
    };
    match connect(&socket, &address) {
        Ok(()) => Ok(true),
        Err(Errno::INPROGRESS) => {
            let ready = task.wait_for(socket.as_fd(), PollFlags::OUT, Some(ATTEMPT))?;
            Ok(ready && matches!(sockopt::socket_error(&socket), Ok(Ok(()))))
        }
        Err(_) => Ok(false),
    }
}

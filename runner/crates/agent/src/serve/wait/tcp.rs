//! Waits for TCP ports to open or to close, by connecting to them.
//!
//! Where the guest's kernel can tell of [listeners](Listens), a port of the guest's own is tried when there is a new one;
//! else, and for other hosts, again and again.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustix::event::PollFlags;
use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use super::listens::Listens;
use super::resolve::Resolver;
use super::{Look, Pauses, Vain, Watch};
use crate::serve::task::{Stopped, Task};

/// Between the first two attempts.
const FIRST: Duration = Duration::from_millis(2);

/// Between later attempts to connect to this guest itself.
const LOCAL: Duration = Duration::from_millis(10);

/// The same where listeners are told of: a port may also open in another way, as when a firewall does.
const TOLD: Duration = Duration::from_millis(250);

/// Between later attempts to connect to another host, which may write each of them down.
const REMOTE: Duration = Duration::from_millis(50);

/// Between later attempts to be refused: somebody serves each of them until then.
const SERVED: Duration = Duration::from_millis(200);

/// How long one attempt may take: the port of a host that is not there neither opens nor refuses.
const ATTEMPT: Duration = Duration::from_secs(2);

/// Waits for connections to be taken.
pub(super) struct Open {
    target: Target,
    pauses: Pauses,
    /// None until the first quick attempts are over; an error where there is nobody to tell.
    listens: Option<io::Result<Listens>>,
    /// Whether a listener was told of.
    told: bool,
}

/// Waits for connections to be refused.
pub(super) struct Closed {
    target: Target,
    pauses: Pauses,
}

impl Open {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            target: Target::new(host, port),
            pauses: Pauses::new(FIRST, REMOTE),
            listens: None,
            told: false,
        }
    }
}

impl Closed {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self {
            target: Target::new(host, port),
            pauses: Pauses::new(FIRST, SERVED),
        }
    }
}

impl Watch for Open {
    fn look(&mut self, task: &Task) -> Result<Look, Vain> {
        Ok(match self.target.answer(task)? {
            Answer::Taken => Look::Holds,
            Answer::Not(why) => Look::NotYet(why),
        })
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        let pause = self.pauses.next();
        if !self.target.is_local || pause < LOCAL {
            return task.sleep(pause);
        }
        match &self.listens {
            None => self.listens = Some(Listens::new()),
            Some(Err(_)) => task.sleep(LOCAL)?,
            Some(Ok(listens)) if !self.told => {
                self.told = task.wait_for(listens.told(), PollFlags::IN, Some(TOLD))?;
                if self.told {
                    // A moment too early: a few attempts in quick succession.
                    self.pauses = Pauses::new(FIRST, REMOTE);
                }
            }
            Some(Ok(_)) => {
                // It was another port's. Who was told is told no more.
                self.told = false;
                self.listens = Some(Listens::new());
            }
        }
        Ok(())
    }
}

impl Watch for Closed {
    fn look(&mut self, task: &Task) -> Result<Look, Vain> {
        Ok(match self.target.answer(task)? {
            Answer::Taken => Look::NotYet("connection taken".into()),
            Answer::Not(_) => Look::Holds,
        })
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        task.sleep(self.pauses.next())
    }
}

/// A port of a host.
struct Target {
    resolver: Resolver,
    host: String,
    port: u16,
    /// Whether all addresses that were tried last are this guest's own.
    is_local: bool,
}

/// What came of an attempt to connect.
enum Answer {
    Taken,
    Not(String),
}

impl Target {
    fn new(host: &str, port: u16) -> Self {
        Self {
            resolver: Resolver::new(host),
            host: host.to_owned(),
            port,
            is_local: false,
        }
    }

    /// Tries one address of the host after the other, until one takes the connection.
    fn answer(&mut self, task: &Task) -> Result<Answer, Stopped> {
        let addresses = self.resolver.addresses();
        self.is_local = !addresses.is_empty() && addresses.iter().all(IpAddr::is_loopback);
        let mut last = format!("no address for {}", self.host);
        for address in addresses {
            match attempt(task, SocketAddr::new(address, self.port))? {
                Ok(()) => return Ok(Answer::Taken),
                Err(error) => last = format!("{address}: {}", io::Error::from(error).kind()),
            }
        }
        Ok(Answer::Not(last))
    }
}

fn attempt(task: &Task, address: SocketAddr) -> Result<Result<(), Errno>, Stopped> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = match socket_with(family, SocketType::STREAM, flags, None) {
        Ok(socket) => socket,
        Err(error) => return Ok(Err(error)),
    };
    match connect(&socket, &address) {
        Err(Errno::INPROGRESS) => {
            if !task.look_at(socket.as_fd(), PollFlags::OUT, Some(ATTEMPT))? {
                return Ok(Err(Errno::TIMEDOUT));
            }
            Ok(sockopt::socket_error(&socket).and_then(|result| result))
        }
        result => Ok(result),
    }
}

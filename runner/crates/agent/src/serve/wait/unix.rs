//! Waits for sockets in the file system.

use std::path::Path;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};
use vmtest_protocol::Failure;

use super::place::Place;
use super::{Look, Vain, Watch};
use crate::serve::shell::Shell;
use crate::serve::task::{Stopped, Task};

/// Between looks at a socket that nobody listens on yet: the kernel tells nobody when that changes.
const REFUSED: Duration = Duration::from_millis(10);

/// Waits for a socket that takes connections, or datagrams.
pub(super) struct Open {
    address: SocketAddrUnix,
    kind: SocketType,
    place: Place,
    absent: bool,
}

impl Open {
    pub(super) fn new(path: &str, datagram: bool) -> Result<Self, Failure> {
        let path = Shell::folder().join(Path::new(path));
        let address = SocketAddrUnix::new(&path).map_err(|_| {
            Failure(format!(
                "no socket can have the name {}: it is too long, or has a NUL in it",
                path.display()
            ))
        })?;
        Ok(Self {
            address,
            kind: match datagram {
                true => SocketType::DGRAM,
                false => SocketType::STREAM,
            },
            place: Place::at(&path),
            absent: false,
        })
    }
}

impl Watch for Open {
    fn look(&mut self, _task: &Task) -> Result<Look, Vain> {
        self.place.watch();
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let connected = socket_with(AddressFamily::UNIX, self.kind, flags, None)
            .and_then(|socket| connect(&socket, &self.address));
        self.absent = matches!(connected, Err(Errno::NOENT | Errno::NOTDIR));
        Ok(match connected {
            // Somebody listens, and has others to serve first.
            Ok(()) | Err(Errno::AGAIN) => Look::Holds,
            Err(Errno::PROTOTYPE) => Look::NotYet("a socket of another type".into()),
            Err(error) => Look::NotYet(std::io::Error::from(error).kind().to_string()),
        })
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        match self.absent {
            true => self.place.rest(task),
            false => task.sleep(REFUSED),
        }
    }
}

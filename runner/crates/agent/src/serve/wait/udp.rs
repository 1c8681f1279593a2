//! Waits for UDP ports: nothing answers there, but the kernel lists the sockets.

use std::fs;
use std::time::Duration;

use super::{Look, Vain, Watch};
use crate::serve::task::{Stopped, Task};

/// Where sockets are listed: `man 5 proc`, /proc/net/tcp.
const LISTS: [&str; 2] = ["/proc/net/udp", "/proc/net/udp6"];

/// Between looks: the kernel tells nobody of a new socket.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits for some socket to be bound to the port.
pub(super) struct Bound {
    port: u16,
}

impl Bound {
    pub(super) fn new(port: u16) -> Self {
        Self { port }
    }
}

impl Watch for Bound {
    fn look(&mut self, _task: &Task) -> Result<Look, Vain> {
        let lists = LISTS.map(|list| fs::read_to_string(list).unwrap_or_default());
        Ok(match lists.iter().any(|list| has(list, self.port)) {
            true => Look::Holds,
            false => Look::NotYet("no socket is bound to it".into()),
        })
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        task.sleep(PAUSE)
    }
}

/// Whether a socket of the list has the local port: the second word of its line ends in it, in hexadecimal digits.
fn has(list: &str, port: u16) -> bool {
    let end = format!(":{port:04X}");
    list.lines()
        .skip(1)
        .filter_map(|line| line.split_ascii_whitespace().nth(1))
        .any(|address| address.ends_with(&end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_known_by_their_local_port() {
        let list = "  sl  local_address rem_address   st tx_queue\n   \
            23: 0100007F:0035 00000000:14E9 07 00000000:00000000\n";
        assert!(has(list, 0x35));
        assert!(!has(list, 0x14e9));
        assert!(!has("", 0x35));
    }

    #[test]
    fn a_bound_socket_is_seen() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("bound");
        let port = socket.local_addr().expect("address").port();
        let list = fs::read_to_string(LISTS[0]).expect("a list");
        assert!(has(&list, port));
    }
}

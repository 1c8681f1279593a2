//! Which address is behind which port, pure.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::frame::{Header, Mac};

/// Number of a port, never used twice by a switch.
pub type PortId = u64;

/// How long an address is remembered after its last frame: the default of IEEE 802.1D.
pub const AGEING: Duration = Duration::from_secs(300);

/// Most addresses remembered; with more, frames to the rest are flooded.
pub const CAPACITY: usize = 4096;

/// Where a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// To one port.
    Port(PortId),
    /// To every port but the one that it came from.
    Flood,
    /// Nowhere: its receiver is behind the port that it came from.
    Drop,
}

/// The forwarding table of a learning switch.
#[derive(Debug, Default)]
pub struct Table {
    entries: HashMap<(u16, Mac), (PortId, Instant)>,
}

impl Table {
    /// Learns the sender of a frame that came in by `port`, and says where the frame goes.
    pub fn forward(&mut self, header: &Header, port: PortId, now: Instant) -> Verdict {
        let source = (header.tag, header.source);
        if !header.source.is_group()
            && (self.entries.len() < CAPACITY || self.entries.contains_key(&source))
        {
            self.entries.insert(source, (port, now));
        }
        if header.destination.is_group() {
            return Verdict::Flood;
        }
        match self.entries.get(&(header.tag, header.destination)) {
            Some((target, seen)) if now.duration_since(*seen) < AGEING => {
                if *target == port {
                    Verdict::Drop
                } else {
                    Verdict::Port(*target)
                }
            }
            _ => Verdict::Flood,
        }
    }

    /// Forgets every address behind a port that is gone.
    pub fn forget(&mut self, port: PortId) {
        self.entries.retain(|_, (owner, _)| *owner != port);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(source: u8, destination: u8) -> Header {
        Header {
            source: Mac([2, 0, 0, 0, 0, source]),
            destination: Mac([2, 0, 0, 0, 0, destination]),
            tag: 0,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_is_learned_moves_and_ages() {
        let mut table = Table::default();
        assert_eq!(
            table.forward(&header(1, 2), 10, Instant::now()),
            Verdict::Flood
        );
        assert_eq!(
            table.forward(&header(2, 1), 20, Instant::now()),
            Verdict::Port(10)
        );
        assert_eq!(
            table.forward(&header(1, 2), 11, Instant::now()),
            Verdict::Port(20)
        );
        assert_eq!(
            table.forward(&header(2, 1), 20, Instant::now()),
            Verdict::Port(11)
        );
        tokio::time::advance(AGEING).await;
        assert_eq!(
            table.forward(&header(1, 2), 11, Instant::now()),
            Verdict::Flood
        );
    }

    #[tokio::test]
    async fn a_port_that_is_gone_is_forgotten() {
        let mut table = Table::default();
        table.forward(&header(1, 2), 10, Instant::now());
        table.forget(10);
        assert_eq!(
            table.forward(&header(2, 1), 20, Instant::now()),
            Verdict::Flood
        );
    }

    #[tokio::test]
    async fn tagged_networks_are_apart() {
        let mut table = Table::default();
        table.forward(&header(1, 2), 10, Instant::now());
        let tagged = Header {
            tag: 5,
            ..header(2, 1)
        };
        assert_eq!(table.forward(&tagged, 20, Instant::now()), Verdict::Flood);
    }

    proptest! {
        /// A frame never goes back where it came from, and the table never grows beyond its capacity.
        #[test]
        fn never_back(frames in proptest::collection::vec((any::<u8>(), any::<u8>(), 0u64..4), 0..200)) {
            let mut table = Table::default();
            let now = Instant::now();
            for (source, destination, port) in frames {
                let verdict = table.forward(&header(source, destination), port, now);
                prop_assert_ne!(verdict, Verdict::Port(port));
            }
            prop_assert!(table.entries.len() <= CAPACITY);
        }
    }
}

//! The Ethernet switch between the machines of a test.
//!
//! One [`Switch`] is one broadcast domain, a VLAN in the words of NixOS tests. A machine's network card is plugged in
//! with [`Switch::plug`]: a datagram socket on which each datagram is one Ethernet frame, as QEMU's `-netdev dgram`
//! speaks it. There is no tap device, no daemon and no privilege in it.
//!
//! - [`mod@frame`]: the little of Ethernet that a switch reads;
//! - [`table`]: which address is behind which port, pure;
//! - [`switch`]: the ports, one pair of tasks each, with bounded queues.

pub mod frame;
pub mod switch;
pub mod table;

pub use frame::{Header, Mac};
pub use switch::{Counters, Plug, Switch};

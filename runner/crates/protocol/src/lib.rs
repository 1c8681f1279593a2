//! Messages and framing between the runner and the agent in a guest.
//!
//! They talk over one virtio-serial port, a byte stream in each direction. Each side begins with a
//! [preamble](PREAMBLE) and a [`Hello`], the agent first; from then on there are frames only. A guest that is reset
//! leaves half a frame behind, in both directions: whoever says hello anew is found again by the preamble
//! (see [`Decoder`]).
//!
//! Many requests are under way at once, told apart by their [`RequestId`]. Whatever the request, the agent ends it with
//! exactly one [`ToHost::Done`]; output and data come before it.
//!
//! - [`message`]: what is said;
//! - [`boot`]: what the runner puts into the initrd for the agent;
//! - [`frame`]: how it becomes bytes, apart from all I/O.

pub mod boot;
pub mod frame;
pub mod message;

pub use frame::{Decoder, FrameError, MAX_FRAME, PREAMBLE, encode};
pub use message::{
    Condition, Ended, Failure, Features, Hello, Outcome, RequestId, Resume, Run, Stream, ToGuest,
    ToHost,
};

/// Version of the messages; both sides must speak the same.
pub const VERSION: u16 = 1;

/// Name of the virtio-serial port, as in `/sys/class/virtio-ports/*/name`.
pub const PORT_NAME: &str = "org.nix-vmtest.agent.0";

/// What the agent is told as its only argument when a guest that it did not boot starts it, with the port as its standard
/// input: it leaves an agent that stays.
pub const JOIN: &str = "join";

/// Most bytes of output or data in one message.
pub const CHUNK: usize = 32 * 1024;

/// Bytes of [`ToGuest::Data`] that the host may send ahead of the agent's [`ToHost::Credit`].
pub const WINDOW: u64 = 1024 * 1024;

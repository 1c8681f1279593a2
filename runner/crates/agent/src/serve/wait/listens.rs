//! Being told when some program of the guest begins to listen on a TCP port.
//!
//! The kernel sends no messages about that, but it passes a tracepoint whenever a socket changes its state: a program of a
//! few instructions, attached there, writes to a buffer when the new state is that of a listener. It is attached only while
//! somebody waits.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use crate::bpf::{Instruction, attach, load, ring_buffer};

/// The tracepoint: its arguments are the socket, its old state and its new one.
const TRACEPOINT: &std::ffi::CStr = c"inet_sock_set_state";

/// The state `TCP_LISTEN` of `linux/tcp.h`.
const LISTEN: i32 = 10;

/// Bytes of the buffer: a page, on any machine.
const BUFFER: u32 = 64 * 1024;

/// Tells of listeners, from when it was made.
#[derive(Debug)]
pub(super) struct Listens {
    buffer: OwnedFd,
    /// The program is attached as long as this is open.
    _attached: OwnedFd,
}

impl Listens {
    /// Begins to listen for listeners.
    ///
    /// # Errors
    /// When the guest's kernel cannot do that: it is older than 5.8, or has no BPF.
    pub(super) fn new() -> io::Result<Self> {
        let buffer = ring_buffer(BUFFER)?;
        let program = load(&program(buffer.as_raw_fd()))?;
        let attached = attach(TRACEPOINT, program.as_fd())?;
        Ok(Self {
            buffer,
            _attached: attached,
        })
    }

    /// Becomes readable, and stays so, once some program has begun to listen: a moment before it can be connected to.
    pub(super) fn told(&self) -> BorrowedFd<'_> {
        self.buffer.as_fd()
    }
}

/// Writes eight bytes to the buffer when the third argument is the state of a listener.
fn program(buffer: RawFd) -> [Instruction; 12] {
    /// Of the helper `bpf_ringbuf_output`.
    const RINGBUF_OUTPUT: i32 = 130;
    /// The immediate value is the descriptor of a map.
    const MAP_FD: u8 = 1;
    let frame = 10;
    [
        // r1 = arguments[2]; if it is no listener, go to the end.
        Instruction::new(0x79, (1, 1), 16, 0),
        Instruction::new(0x55, (1, 0), 8, LISTEN),
        // Eight bytes on the stack.
        Instruction::new(0x7a, (frame, 0), -8, 1),
        // output(r1 = buffer, r2 = the bytes, r3 = their number, r4 = no flags)
        Instruction::new(0x18, (1, MAP_FD), 0, buffer),
        Instruction::new(0, (0, 0), 0, 0),
        Instruction::new(0xbf, (2, frame), 0, 0),
        Instruction::new(0x07, (2, 0), 0, -8),
        Instruction::new(0xb7, (3, 0), 0, 8),
        Instruction::new(0xb7, (4, 0), 0, 0),
        Instruction::new(0x85, (0, 0), 0, RINGBUF_OUTPUT),
        // return 0
        Instruction::new(0xb7, (0, 0), 0, 0),
        Instruction::new(0x95, (0, 0), 0, 0),
    ]
}

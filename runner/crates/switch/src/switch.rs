//! The ports, one pair of tasks each, with bounded queues.
//!
//! ```text
//!  machine ──datagram──▶ reader ──table──▶ queue of the target ──▶ writer ──datagram──▶ machine
//! ```
//!
//! A reader never waits for another port: when the queue of a slow receiver is full the frame is dropped and counted,
//! as a real switch does.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixDatagram as StdUnixDatagram;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::net::UnixDatagram;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::frame::Header;
use crate::table::{PortId, Table, Verdict};

/// Frames that wait for one slow receiver before further ones are dropped.
pub const QUEUE: usize = 1024;

/// Longest frame in bytes: an MTU of 65,535 and the headers before it.
const LONGEST: usize = 65_535 + 22;

/// A learning Ethernet switch; cloning gives another handle to the same one.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    counters: AtomicCounters,
}

#[derive(Debug, Default)]
struct State {
    table: Table,
    ports: BTreeMap<PortId, Sender<Bytes>>,
    next: PortId,
}

#[derive(Debug, Default)]
struct AtomicCounters {
    frames: AtomicU64,
    bytes: AtomicU64,
    dropped: AtomicU64,
}

/// What has passed through a switch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that came in.
    pub frames: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Deliveries that did not happen because the receiver's queue was full.
    pub dropped: u64,
}

/// A machine's place in a switch; dropping it pulls the plug.
#[derive(Debug)]
pub struct Plug {
    shared: Arc<Shared>,
    port: PortId,
    reader: JoinHandle<()>,
    writer: JoinHandle<()>,
}

impl Switch {
    /// Plugs in a machine whose frames are the datagrams of `socket`.
    ///
    /// # Errors
    /// When the socket cannot be made non-blocking.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn plug(&self, socket: StdUnixDatagram) -> io::Result<Plug> {
        socket.set_nonblocking(true)?;
        let socket = Arc::new(UnixDatagram::from_std(socket)?);
        let (sender, queue) = channel(QUEUE);
        let port = {
            let mut state = self.0.state();
            let port = state.next;
            state.next += 1;
            state.ports.insert(port, sender);
            port
        };
        let reader = tokio::spawn(read(Arc::clone(&self.0), port, Arc::clone(&socket)));
        let writer = tokio::spawn(write(port, queue, socket));
        Ok(Plug {
            shared: Arc::clone(&self.0),
            port,
            reader,
            writer,
        })
    }

    /// What has passed so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let counters = &self.0.counters;
        Counters {
            frames: counters.frames.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
        let mut state = self.shared.state();
        state.ports.remove(&self.port);
        state.table.forget(self.port);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dispatch(&self, port: PortId, frame: &Bytes) {
        self.counters.frames.fetch_add(1, Ordering::Relaxed);
        self.counters
            .bytes
            .fetch_add(frame.len() as u64, Ordering::Relaxed);
        let Some(header) = Header::parse(frame) else {
            return;
        };
        let mut state = self.state();
        match state.table.forward(&header, port, Instant::now()) {
            Verdict::Port(target) => {
                if let Some(queue) = state.ports.get(&target) {
                    self.deliver(queue, frame);
                }
            }
            Verdict::Flood => {
                for (_, queue) in state.ports.iter().filter(|(id, _)| **id != port) {
                    self.deliver(queue, frame);
                }
            }
            Verdict::Drop => {}
        }
    }

    fn deliver(&self, queue: &Sender<Bytes>, frame: &Bytes) {
        if let Err(TrySendError::Full(_)) = queue.try_send(frame.clone()) {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn read(shared: Arc<Shared>, port: PortId, socket: Arc<UnixDatagram>) {
    let mut buffer = vec![0; LONGEST];
    loop {
        match socket.recv(&mut buffer).await {
            Ok(length) => shared.dispatch(port, &Bytes::copy_from_slice(&buffer[..length])),
            Err(error) => {
                tracing::debug!(port, %error, "port cannot be read any more");
                return;
            }
        }
    }
}

async fn write(port: PortId, mut queue: Receiver<Bytes>, socket: Arc<UnixDatagram>) {
    while let Some(frame) = queue.recv().await {
        if let Err(error) = socket.send(&frame).await {
            // The machine is gone or its card is off; its plug is pulled by whoever watches the machine.
            tracing::debug!(port, %error, "frame cannot be delivered");
        }
    }
}

//! Data on its way from the reader to a request; the runner's credit bounds how much of it waits there.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use rustix::event::{EventfdFlags, eventfd};
use vmtest_protocol::WINDOW;

/// The reader's end of a request's data.
#[derive(Debug)]
pub(super) struct Feed {
    sender: Option<Sender<Vec<u8>>>,
    shared: Arc<Shared>,
}

/// The request's end of its data.
#[derive(Debug)]
pub(super) struct Supply {
    receiver: Receiver<Vec<u8>>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Bytes that the request has not taken.
    waiting: AtomicU64,
    /// Readable when there is something to take.
    ready: OwnedFd,
}

/// What a request finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A part of the data; empty: the end.
    Piece(Vec<u8>),
    /// Nothing yet.
    Nothing,
    /// There will be nothing more, and there was no end.
    Gone,
}

/// A way for data from the reader to a request.
///
/// # Errors
/// When the guest has no room for it.
pub(super) fn feed() -> io::Result<(Feed, Supply)> {
    let (sender, receiver) = channel();
    let shared = Arc::new(Shared {
        waiting: AtomicU64::new(0),
        ready: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
    });
    let feed = Feed {
        sender: Some(sender),
        shared: Arc::clone(&shared),
    };
    Ok((feed, Supply { receiver, shared }))
}

impl Feed {
    /// Hands data on, and is gone once that was the end, or once the runner has sent more than it may.
    pub(super) fn push(self, data: Vec<u8>) -> Option<Self> {
        let (end, length) = (data.is_empty(), data.len() as u64);
        if self.shared.waiting.fetch_add(length, Ordering::SeqCst) + length > WINDOW {
            return None;
        }
        let sent = self.sender.as_ref()?.send(data);
        self.shared.nudge();
        (sent.is_ok() && !end).then_some(self)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // First: whoever looks is to find that there is nothing more.
        self.sender = None;
        self.shared.nudge();
    }
}

impl Shared {
    fn nudge(&self) {
        let _ = rustix::io::write(&self.ready, &1u64.to_ne_bytes());
    }
}

impl Supply {
    /// The next piece; waits for it.
    pub(super) fn next(&self) -> Next {
        self.taken(self.receiver.recv().map_err(|_| TryRecvError::Disconnected))
    }

    /// The next piece, if it is there.
    pub(super) fn try_next(&self) -> Next {
        match self.receiver.try_recv() {
            Err(TryRecvError::Empty) => {
                // Before the look that counts.
                let _ = rustix::io::read(&self.shared.ready, &mut [0; 8]);
                self.taken(self.receiver.try_recv())
            }
            received => self.taken(received),
        }
    }

    /// Becomes readable when there is a next piece.
    pub(super) fn ready(&self) -> BorrowedFd<'_> {
        self.shared.ready.as_fd()
    }

    fn taken(&self, received: Result<Vec<u8>, TryRecvError>) -> Next {
        match received {
            Ok(piece) => {
                let length = piece.len() as u64;
                self.shared.waiting.fetch_sub(length, Ordering::SeqCst);
                Next::Piece(piece)
            }
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_in_order_and_ends() {
        let (feed, supply) = feed().expect("room");
        assert_eq!(supply.try_next(), Next::Nothing);
        let feed = feed.push(b"a".to_vec()).expect("more may come");
        assert!(feed.push(Vec::new()).is_none(), "that was the end");
        assert_eq!(supply.next(), Next::Piece(b"a".to_vec()));
        assert_eq!(supply.try_next(), Next::Piece(Vec::new()));
        assert_eq!(supply.try_next(), Next::Gone);
    }

    #[test]
    fn more_than_there_is_credit_for_ends_it() {
        let (feed, supply) = feed().expect("room");
        let window = usize::try_from(WINDOW).expect("small");
        let feed = feed.push(vec![0; window]).expect("as much as may wait");
        assert!(feed.push(vec![0]).is_none());
        assert!(matches!(supply.next(), Next::Piece(_)));
        assert_eq!(supply.next(), Next::Gone);
    }
}

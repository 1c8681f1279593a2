//! Copies into the guest: a tar stream from the runner, unpacked as it comes.

use std::error::Error;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tar::Archive;
use vmtest_protocol::{Failure, Outcome, ToHost, WINDOW};

use super::task::Task;

/// The reader's end of a request's data.
#[derive(Debug)]
pub(super) struct Feed {
    sender: Sender<Vec<u8>>,
    waiting: Arc<AtomicU64>,
}

/// The request's end of its data.
#[derive(Debug)]
pub(super) struct Supply {
    receiver: Receiver<Vec<u8>>,
    waiting: Arc<AtomicU64>,
}

/// A way for data from the reader to a request; the runner's credit bounds what lies in it.
pub(super) fn feed() -> (Feed, Supply) {
    let (sender, receiver) = channel();
    let waiting = Arc::new(AtomicU64::new(0));
    let feed = Feed {
        sender,
        waiting: Arc::clone(&waiting),
    };
    (feed, Supply { receiver, waiting })
}

impl Feed {
    /// Hands data on, and is gone once that was the end, or once the runner has sent more than it may.
    pub(super) fn push(self, data: Vec<u8>) -> Option<Self> {
        let (end, length) = (data.is_empty(), data.len() as u64);
        if self.waiting.fetch_add(length, Ordering::SeqCst) + length > WINDOW {
            return None;
        }
        (self.sender.send(data).is_ok() && !end).then_some(self)
    }
}

/// Unpacks the data below `target`, as root: owners and modes kept.
pub(super) fn put(task: &Task, supply: Supply, target: &str) -> Result<Outcome, Failure> {
    let mut stream = Stream {
        task,
        supply,
        piece: Vec::new(),
        taken: 0,
        ended: false,
    };
    let unpacked = unpack(&mut stream, target);
    if task.check().is_err() {
        return Ok(Outcome::Cancelled);
    }
    match unpacked {
        Ok(()) => Ok(Outcome::Complete),
        Err(error) => Err(Failure(format!(
            "cannot copy to {target}: {}",
            chain(&error)
        ))),
    }
}

fn unpack(stream: &mut Stream<'_>, target: &str) -> io::Result<()> {
    if !Path::new(target).is_absolute() {
        return Err(io::Error::other("the path is not absolute"));
    }
    std::fs::create_dir_all(target)?;
    let mut archive = Archive::new(&mut *stream);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(true);
    archive.unpack(target)?;
    // What follows the archive's end belongs to it still.
    io::copy(stream, &mut io::sink()).map(drop)
}

/// An error with what is behind it: tar's own name the file, and the one behind them says why.
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

/// The data as a stream.
struct Stream<'a> {
    task: &'a Task,
    supply: Supply,
    piece: Vec<u8>,
    /// Bytes of the piece that were read.
    taken: usize,
    ended: bool,
}

impl Stream<'_> {
    /// Waits for the next piece; the runner may then send as much more.
    fn next_piece(&mut self) -> io::Result<()> {
        let Ok(piece) = self.supply.receiver.recv() else {
            return Err(io::Error::other(
                "the runner sent more than it was given credit for",
            ));
        };
        let length = piece.len() as u64;
        self.ended = piece.is_empty();
        (self.piece, self.taken) = (piece, 0);
        self.supply.waiting.fetch_sub(length, Ordering::SeqCst);
        let credit = ToHost::Credit(self.task.id, length);
        if !self.ended && self.task.send(&credit).is_err() {
            return Err(io::Error::other("cancelled"));
        }
        Ok(())
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.piece.len() && !self.ended {
            self.next_piece()?;
        }
        let length = (&self.piece[self.taken..]).read(buffer)?;
        self.taken += length;
        Ok(length)
    }
}

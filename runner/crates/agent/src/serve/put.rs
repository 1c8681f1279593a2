//! Copies into the guest: a tar stream from the runner, unpacked as it comes.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tar::Archive;
use vmtest_protocol::{Failure, Outcome, ToHost};

use super::feed::{Next, Supply};
use super::task::Task;

/// Unpacks the data below `target`, as `cp -r` would: everything is root's and of now, with its mode; a file that is there
/// keeps its own, and its identity.
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
    fs::create_dir_all(target)?;
    let mut archive = Archive::new(&mut *stream);
    archive.set_preserve_permissions(true);
    archive.set_preserve_ownerships(false);
    archive.set_preserve_mtime(false);
    // A folder gets its mode last: it may not be one that can be written to.
    let mut folders = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            fs::create_dir_all(Path::new(target).join(entry.path()?))?;
            folders.push(entry);
        } else if kind.is_file()
            && let Some(mut file) = existing(&Path::new(target).join(entry.path()?))
        {
            io::copy(&mut entry, &mut file)?;
        } else {
            entry.unpack_in(target)?;
        }
    }
    for mut folder in folders.into_iter().rev() {
        folder.unpack_in(target)?;
    }
    // What follows the archive's end belongs to it still.
    io::copy(stream, &mut io::sink()).map(drop)
}

/// An error with what is behind it: tar's own name the file, and the one behind them says why.
/// A file to write over: a regular one, by whatever links.
fn existing(path: &Path) -> Option<File> {
    let is_file = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let open = || File::options().write(true).truncate(true).open(path).ok();
    is_file.then(open).flatten()
}

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
        let Next::Piece(piece) = self.supply.next() else {
            return Err(io::Error::other(
                "the runner sent more than it was given credit for",
            ));
        };
        let length = piece.len() as u64;
        self.ended = piece.is_empty();
        (self.piece, self.taken) = (piece, 0);
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

//! Copies into the guest: a tar stream from the runner, unpacked as it comes.

use std::error::Error;
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tar::{Archive, Entry};
use vmtest_protocol::{Failure, Outcome, ToHost, WINDOW};

use super::feed::{Next, Supply};
use super::task::Task;

/// Bytes of credit that are told together: each message costs as much as some kilobytes of data.
const CREDIT: u64 = WINDOW / 4;

/// Bytes that are written at once.
const BUFFER: usize = 64 * 1024;

/// Unpacks the data below `target`, as `cp -r` would: everything is root's and of now, with its mode; a file that is there
/// keeps its own, and its identity.
pub(super) fn put(task: &Task, supply: Supply, target: &str) -> Result<Outcome, Failure> {
    let mut stream = Stream {
        task,
        supply,
        piece: Vec::new(),
        taken: 0,
        untold: 0,
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
        } else if kind.is_file() {
            let path = Path::new(target).join(entry.path()?);
            let failed = |error| io::Error::other(format!("{}: {error}", path.display()));
            write_file(&mut entry, &path).map_err(failed)?;
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
/// Writes a regular file, over one that is there, by whatever links, or anew with the entry's mode.
fn write_file(entry: &mut Entry<'_, impl Read>, path: &Path) -> io::Result<()> {
    let is_there = fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    let mut file = if is_there {
        File::options().write(true).truncate(true).open(path)?
    } else {
        // What is there is no file.
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let file = File::options().write(true).create_new(true).open(path)?;
        file.set_permissions(Permissions::from_mode(entry.header().mode()?))?;
        file
    };
    let mut buffer = vec![0; BUFFER];
    let mut left = entry.size();
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        entry.read_exact(&mut buffer[..length])?;
        file.write_all(&buffer[..length])?;
        left -= length as u64;
    }
    Ok(())
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
    /// Bytes that were taken and that the runner does not know of yet.
    untold: u64,
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
        self.untold += piece.len() as u64;
        self.ended = piece.is_empty();
        (self.piece, self.taken) = (piece, 0);
        if self.ended || self.untold < CREDIT {
            return Ok(());
        }
        let credit = ToHost::Credit(self.task.id, std::mem::take(&mut self.untold));
        let sent = self.task.send(&credit);
        sent.map_err(|_| io::Error::other("cancelled"))
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

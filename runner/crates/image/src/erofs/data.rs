//! Writes the data area: whole blocks of files and directories, in the order of their inodes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::plan::Plan;
use super::source::Reader;
use super::{BLOCK, ErofsError, dirent};
use crate::tree::{Content, Tree};

/// Data is read into a buffer of this many bytes and written from it. Measured with 500 MB on ext4, warm: 0.17 s of
/// processor time, with 256 KiB or 4 MiB the same; `copy_file_range` takes 0.21 s from an archive, whose data is
/// aligned to 512 bytes only, and 0.13 s from aligned data; `sendfile` is no faster than that.
const BUFFER: usize = 1 << 20;

/// Collects blocks and writes them in large pieces.
struct Output<'a> {
    file: &'a File,
    /// Where the buffer's first byte goes.
    position: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl Output<'_> {
    /// Room for up to `wanted` bytes, at least one.
    fn room(&mut self, wanted: u64) -> io::Result<&mut [u8]> {
        if self.used == self.buffer.len() {
            self.flush()?;
        }
        let free = self.buffer.len() - self.used;
        let length = usize::try_from(wanted).map_or(free, |wanted| wanted.min(free));
        let start = self.used;
        self.used += length;
        Ok(&mut self.buffer[start..start + length])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file
            .write_all_at(&self.buffer[..self.used], self.position)?;
        self.position += self.used as u64;
        self.used = 0;
        Ok(())
    }
}

pub(super) fn write(tree: &Tree, plan: &Plan, file: &File, path: &Path) -> Result<(), ErofsError> {
    let failed = |source| ErofsError::Image {
        path: path.to_owned(),
        source,
    };
    let position = plan.data_start * BLOCK;
    let mut output = Output {
        file,
        position,
        buffer: vec![0; BUFFER],
        used: 0,
    };
    let mut reader = Reader::default();
    for inode in plan.inodes.iter().filter(|inode| inode.blocks > 0) {
        let end = inode.blocks * BLOCK;
        let filled = inode.size.min(end);
        match &tree.node(inode.node).content {
            Content::File(data) => {
                let mut done = 0;
                while done < filled {
                    let room = output.room(filled - done).map_err(failed)?;
                    reader.read(data, done, room)?;
                    done += room.len() as u64;
                }
            }
            Content::Directory(_) => {
                let names = dirent::names(tree, inode.node, inode.parent);
                let bytes = dirent::encode(&names, tree, plan);
                let whole = usize::try_from(filled).unwrap_or(bytes.len());
                copy(&bytes[..whole], &mut output).map_err(failed)?;
            }
            Content::Symlink(target) => copy(target, &mut output).map_err(failed)?,
            _ => {}
        }
        let mut padding = end - filled;
        while padding > 0 {
            let room = output.room(padding).map_err(failed)?;
            room.fill(0);
            padding -= room.len() as u64;
        }
    }
    output.flush().map_err(failed)
}

fn copy(mut bytes: &[u8], output: &mut Output<'_>) -> io::Result<()> {
    while !bytes.is_empty() {
        let room = output.room(bytes.len() as u64)?;
        let (now, later) = bytes.split_at(room.len());
        room.copy_from_slice(now);
        bytes = later;
    }
    Ok(())
}

//! Writes initrds: cpio archives in the "newc" format that the kernel unpacks.
//!
//! The format is that of the Linux kernel's `Documentation/driver-api/early-userspace/buffer-format.rst`.
//! Everything is owned by root and dated 0, inode numbers are counted, so the same calls give the same bytes.

use std::collections::BTreeSet;
use std::io::{self, Write};

/// Numbers of `S_IF*`, see inode(7).
const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_000;
const CHAR_DEVICE: u32 = 0o020_000;

/// Headers with names, and data, start at multiples of this.
const ALIGNMENT: usize = 4;

/// Archives are padded to this, so that another one can follow.
const END_ALIGNMENT: u64 = 512;

/// An initrd that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum CpioError {
    /// The output.
    #[error("cannot write the initrd's entry `{path}`")]
    Write {
        /// The entry.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The kernel silently skips an entry whose directory was not unpacked before.
    #[error("the initrd's entry `{0}` comes before its directory")]
    MissingDirectory(String),
    /// Two entries of one name.
    #[error("the initrd's entry `{0}` is there twice")]
    Duplicate(String),
    /// A path that is absolute, empty, climbs or holds a zero.
    #[error("`{0}` is not a plain relative path")]
    BadPath(String),
    /// The format's sizes have 32 bits.
    #[error("the initrd's entry `{0}` is larger than 4 GiB")]
    TooLarge(String),
}

/// An archive being written to `output`, entry by entry.
#[derive(Debug)]
pub struct Archive<W> {
    output: W,
    written: u64,
    names: BTreeSet<String>,
    directories: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    /// An empty archive. `output` gets a few writes for each entry.
    #[must_use]
    pub fn new(output: W) -> Self {
        Self {
            output,
            written: 0,
            names: BTreeSet::new(),
            directories: BTreeSet::new(),
        }
    }

    /// Adds a directory. Paths have no leading slash; permissions are at most 0o7777.
    ///
    /// # Errors
    /// [`CpioError`] when the entry is not a valid one, or the output fails.
    pub fn dir(mut self, path: &str, permissions: u16) -> Result<Self, CpioError> {
        self.entry(path, DIRECTORY, permissions, (0, 0), &[])?;
        self.directories.insert(path.to_owned());
        Ok(self)
    }

    /// Adds a regular file.
    ///
    /// # Errors
    /// As [`Archive::dir`].
    pub fn file(mut self, path: &str, permissions: u16, bytes: &[u8]) -> Result<Self, CpioError> {
        self.entry(path, FILE, permissions, (0, 0), bytes)?;
        Ok(self)
    }

    /// Adds a symlink.
    ///
    /// # Errors
    /// As [`Archive::dir`].
    pub fn symlink(mut self, path: &str, target: &str) -> Result<Self, CpioError> {
        self.entry(path, SYMLINK, 0o777, (0, 0), target.as_bytes())?;
        Ok(self)
    }

    /// Adds a character device of the given numbers.
    ///
    /// # Errors
    /// As [`Archive::dir`].
    pub fn char_device(
        mut self,
        path: &str,
        permissions: u16,
        major: u32,
        minor: u32,
    ) -> Result<Self, CpioError> {
        self.entry(path, CHAR_DEVICE, permissions, (major, minor), &[])?;
        Ok(self)
    }

    /// Ends the archive and gives the output back.
    ///
    /// # Errors
    /// [`CpioError::Write`] when the output fails.
    pub fn finish(mut self) -> Result<W, CpioError> {
        const TRAILER: &str = "TRAILER!!!";
        let failed = |source| CpioError::Write {
            path: TRAILER.to_owned(),
            source,
        };
        self.raw(TRAILER, 0, 1, (0, 0), &[]).map_err(failed)?;
        let end = self.written.next_multiple_of(END_ALIGNMENT);
        let padding = usize::try_from(end - self.written).unwrap_or(0);
        self.put(&vec![0; padding])
            .and_then(|()| self.output.flush())
            .map_err(failed)?;
        Ok(self.output)
    }

    fn entry(
        &mut self,
        path: &str,
        kind: u32,
        permissions: u16,
        device: (u32, u32),
        data: &[u8],
    ) -> Result<(), CpioError> {
        let plain = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('\0');
        if !path.split('/').all(plain) {
            return Err(CpioError::BadPath(path.to_owned()));
        }
        if let Some((parent, _)) = path.rsplit_once('/')
            && !self.directories.contains(parent)
        {
            return Err(CpioError::MissingDirectory(path.to_owned()));
        }
        if u32::try_from(data.len()).is_err() {
            return Err(CpioError::TooLarge(path.to_owned()));
        }
        if !self.names.insert(path.to_owned()) {
            return Err(CpioError::Duplicate(path.to_owned()));
        }
        let mode = kind | u32::from(permissions & 0o7777);
        let links = if kind == DIRECTORY { 2 } else { 1 };
        self.raw(path, mode, links, device, data)
            .map_err(|source| CpioError::Write {
                path: path.to_owned(),
                source,
            })
    }

    fn raw(
        &mut self,
        path: &str,
        mode: u32,
        links: u32,
        (major, minor): (u32, u32),
        data: &[u8],
    ) -> io::Result<()> {
        let inode = self.names.len();
        let (size, name_size) = (data.len(), path.len() + 1);
        let mut head = format!(
            // magic, inode, mode, owner and group, links, mtime, size, device, rdev, size of the name, checksum
            "070701{inode:08x}{mode:08x}{:016x}{links:08x}{:08x}{size:08x}{:016x}{major:08x}{minor:08x}{name_size:08x}{:08x}{path}\0",
            0, 0, 0, 0,
        )
        .into_bytes();
        head.resize(head.len().next_multiple_of(ALIGNMENT), 0);
        self.put(&head)?;
        self.put(data)?;
        let padding = size.next_multiple_of(ALIGNMENT) - size;
        self.put(&[0; ALIGNMENT][..padding])
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.output.write_all(bytes)
    }
}

#[cfg(test)]
mod tests;

//! Writes uncompressed EROFS images.
//!
//! The format is that of the Linux kernel's `fs/erofs/erofs_fs.h` and `Documentation/filesystems/erofs.rst`; names
//! of on-disk fields are kept so that they can be found there. Nothing newer than Linux 5.4 is used.
//!
//! ```text
//! block 0        superblock, at byte 1024
//! blocks 1..m    inodes, each followed by its extended attributes and the tail of its data (plan, metadata)
//! blocks m..     whole blocks of data: directories and files (data)
//! ```
//!
//! Everything is laid out before the first byte is written (`plan`). Then the image is written front to back, but
//! for the superblock, which comes last: an image cut short is not taken for one. Memory is bounded by the number of
//! objects, not by their size. A second thread for one of the two areas was tried and gave nothing measurable; images
//! of several machines can be written at once.
//!
//! The same tree gives the same bytes: inodes and data lie in breadth-first order of names, the volume's UUID is
//! fixed and its time is that of the Nix store's files.

mod data;
mod dirent;
mod inode;
mod plan;
mod source;
mod space;
mod superblock;
mod xattr;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::tree::Tree;
use plan::Plan;

/// Block size in bytes. The kernel takes no block larger than a page, and pages are 4 KiB at least.
const BLOCK: u64 = 4096;

/// An image that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ErofsError {
    /// The image's own file.
    #[error("cannot write the image {}", path.display())]
    Image {
        /// The image.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file the tree refers to; it must not have changed since.
    #[error("cannot read {length} bytes at {offset} of {}", path.display())]
    Source {
        /// The file on the host.
        path: PathBuf,
        /// First byte wanted.
        offset: u64,
        /// Number of bytes wanted.
        length: u64,
        /// Why.
        source: io::Error,
    },
    /// More than 2^32 blocks of 4 KiB.
    #[error("the image would be larger than 16 TiB")]
    TooLarge,
    /// An attribute in a namespace that EROFS has no number for.
    #[error("`{file}` has the extended attribute `{name}`, which EROFS cannot hold")]
    XattrNamespace {
        /// Path in the tree.
        file: String,
        /// The attribute's full name.
        name: String,
    },
    /// Too long an attribute, or too many.
    #[error("`{file}` has more extended attributes than EROFS can hold")]
    XattrTooLarge {
        /// Path in the tree.
        file: String,
    },
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// Size of the image in bytes, a multiple of 4096.
    pub bytes: u64,
    /// Number of objects in it; hard links count once.
    pub inodes: u64,
}

/// An image's label (volume name), by which a guest can find it: at most 16 bytes, zeros behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label([u8; 16]);

impl Label {
    /// The label of this text.
    ///
    /// # Panics
    /// When it is longer than 16 bytes.
    #[must_use]
    pub const fn new(text: &str) -> Self {
        let (text, mut label, mut index) = (text.as_bytes(), [0; 16], 0);
        assert!(text.len() <= label.len(), "the label is too long");
        while index < text.len() {
            label[index] = text[index];
            index += 1;
        }
        Self(label)
    }
}

/// Writes the image of `tree` to `path`, replacing what is there. After an error nothing is left there.
///
/// # Errors
/// [`ErofsError`] names the file that cannot be read, written or represented.
pub fn write(tree: &Tree, label: Label, path: &Path) -> Result<ImageInfo, ErofsError> {
    let plan = Plan::new(tree)?;
    let written = File::create(path)
        .map_err(|source| ErofsError::Image {
            path: path.to_owned(),
            source,
        })
        .and_then(|file| write_planned(tree, &plan, label, &file, path));
    if let Err(error) = written {
        // The error that is told is the one that stopped the writing.
        let _ = std::fs::remove_file(path);
        return Err(error);
    }
    Ok(ImageInfo {
        bytes: plan.blocks() * BLOCK,
        inodes: plan.inodes.len() as u64,
    })
}

fn write_planned(
    tree: &Tree,
    plan: &Plan,
    label: Label,
    file: &File,
    path: &Path,
) -> Result<(), ErofsError> {
    let failed = |source| ErofsError::Image {
        path: path.to_owned(),
        source,
    };
    file.set_len(plan.blocks() * BLOCK).map_err(failed)?;
    inode::write(tree, plan, file, path)?;
    data::write(tree, plan, file, path)?;
    superblock::write(plan, label, file).map_err(failed)
}

#[cfg(test)]
mod reader;
#[cfg(test)]
mod tests;

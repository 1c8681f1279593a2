//! The saved state of machines: their memory and their disks.
//!
//! Both are large files of pages of which most are empty, and of the others many are the same: machines of one test run
//! the same programs, and what they have read from their root image lies in their memory as it lies in the image.
//!
//! - [`sparse`]: copies such a file without what is empty;
//! - [`Packer`]: makes an archive of many, in which each page is stored once, not at all where an image beside the archive
//!   has it, and compressed where that pays;
//! - [`Archive`]: gets them out again.
//!
//! Everything is synchronous, uses as many threads as there are processors, and holds a few MiB of data in memory, and
//! some 40 bytes for each page of an image.

mod archive;
mod index;
mod pack;
pub mod sparse;

use std::io;
use std::path::{Path, PathBuf};

pub use archive::Archive;
pub use pack::{Packed, Packer};

/// Bytes of a page, the unit in which content is compared.
pub const PAGE: usize = 4096;

/// Why a state cannot be saved or restored.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// A file.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Where a file of the archive was to go, which the caller knows.
    #[error("the file cannot be written")]
    Target {
        /// Why.
        source: io::Error,
    },
    /// The archive has no file of this name.
    #[error("{} holds no `{name}`", path.display())]
    Missing {
        /// The archive.
        path: PathBuf,
        /// The name.
        name: String,
    },
    /// The archive is damaged, or of another version.
    #[error("{} cannot be read: {reason}", path.display())]
    Damaged {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> StateError {
    let path = path.to_owned();
    move |source| StateError::File { path, source }
}

fn target(source: io::Error) -> StateError {
    StateError::Target { source }
}

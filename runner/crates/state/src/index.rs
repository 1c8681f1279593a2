//! What an archive says of its content.

use serde::{Deserialize, Serialize};

/// Version of the format.
pub(crate) const VERSION: u32 = 1;

/// The file of the archive that holds the index, in the [postcard wire format](https://postcard.jamesmunns.com/wire-format).
pub(crate) const INDEX: &str = "state.index";

/// The file of the archive that holds the blocks.
pub(crate) const BLOCKS: &str = "state.blocks";

/// Pages of a block, the unit of compression.
pub(crate) const BLOCK_PAGES: usize = 64;

/// An archive's content.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Index {
    pub(crate) version: u32,
    /// Names of the images, which lie beside the archive.
    pub(crate) images: Vec<String>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) files: Vec<File>,
}

/// Where a block of pages lies.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Block {
    pub(crate) offset: u64,
    /// Bytes as they are stored.
    pub(crate) stored: u32,
    /// Pages in it.
    pub(crate) pages: u32,
    /// Whether they are compressed (an LZ4 block).
    pub(crate) compressed: bool,
}

/// A file, which is empty where no extent is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) extents: Vec<Extent>,
}

/// Pages that follow each other in a file and in what they come from.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// The first page in the file.
    pub(crate) start: u64,
    pub(crate) pages: u32,
    pub(crate) source: Source,
}

/// The first page of an extent where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Source {
    /// An image, by its number.
    Image { image: u16, page: u64 },
    /// The pages of all blocks, counted through.
    Stored { page: u64 },
}

impl Source {
    /// The page that is so many pages behind.
    pub(crate) fn after(self, pages: u64) -> Self {
        match self {
            Self::Image { image, page } => Self::Image {
                image,
                page: page + pages,
            },
            Self::Stored { page } => Self::Stored { page: page + pages },
        }
    }
}

impl File {
    /// Adds a page behind those that are there.
    pub(crate) fn push(&mut self, page: u64, source: Source) {
        if let Some(last) = self.extents.last_mut() {
            let pages = u64::from(last.pages);
            if last.start + pages == page && last.source.after(pages) == source {
                last.pages += 1;
                return;
            }
        }
        self.extents.push(Extent {
            start: page,
            pages: 1,
            source,
        });
    }
}

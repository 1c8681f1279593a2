//! Makes an archive.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use twox_hash::XxHash3_128;

use crate::index::{self, BLOCK_PAGES, BLOCKS, Block, INDEX, Index, Source, VERSION};
use crate::sparse::{CopyError, for_each_chunk, is_empty};
use crate::{PAGE, StateError, failed};

/// Blocks that are compressed at once.
const BATCH: usize = 16;

/// A block is stored compressed when that saves at least one part in so many.
const WORTH: usize = 8;

/// What has become of the files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Packed {
    /// Pages of all files that are not empty.
    pub pages: u64,
    /// Those of them that an image has.
    pub from_images: u64,
    /// Those that were stored.
    pub stored: u64,
    /// Bytes of the archive's blocks.
    pub bytes: u64,
}

/// An archive that is being made.
///
/// Pages are compared by a 128-bit hash (XXH3) that nobody has to find collisions of but whoever writes the test.
#[derive(Debug)]
pub struct Packer {
    folder: PathBuf,
    index: Index,
    known: HashMap<u128, Source>,
    blocks: Blocks,
    packed: Packed,
}

impl Packer {
    /// Begins an archive in `folder`, which holds the `images` by name: pages that they have are not stored.
    ///
    /// # Errors
    /// When an image cannot be read, or the archive cannot be made.
    pub fn new(folder: &Path, images: &[String]) -> Result<Self, StateError> {
        let mut known = HashMap::new();
        for (number, name) in (0..).zip(images) {
            let path = folder.join(name);
            let image = File::open(&path).map_err(failed(&path))?;
            for (page, hash) in hash_pages(&image).map_err(failed(&path))? {
                let source = Source::Image {
                    image: number,
                    page,
                };
                known.entry(hash).or_insert(source);
            }
        }
        let path = folder.join(BLOCKS);
        let blocks = File::create_new(&path).map_err(failed(&path))?;
        Ok(Self {
            folder: folder.to_owned(),
            index: Index {
                version: VERSION,
                images: images.to_vec(),
                ..Index::default()
            },
            known,
            blocks: Blocks {
                output: blocks,
                offset: 0,
                pages: 0,
                waiting: Vec::new(),
            },
            packed: Packed::default(),
        })
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When it cannot be read, or the archive not be written.
    pub fn add(&mut self, name: &str, file: &Path) -> Result<(), StateError> {
        let blocks = self.folder.join(BLOCKS);
        self.try_add(name, file).map_err(|error| match error {
            CopyError::Read(source) => failed(file)(source),
            CopyError::Write(source) => failed(&blocks)(source),
        })
    }

    fn try_add(&mut self, name: &str, path: &Path) -> Result<(), CopyError> {
        let file = File::open(path).map_err(CopyError::Read)?;
        let mut entry = index::File {
            name: name.to_owned(),
            bytes: file.metadata().map_err(CopyError::Read)?.len(),
            extents: Vec::new(),
        };
        for_each_chunk(&file, |offset, chunk| {
            let pages: Vec<&[u8]> = chunk.chunks(PAGE).collect();
            let hashes: Vec<Option<u128>> = pages.par_iter().map(|page| hash(page)).collect();
            for ((page, hash), number) in pages.iter().zip(hashes).zip(offset / PAGE as u64..) {
                let Some(hash) = hash else { continue };
                self.packed.pages += 1;
                let source = match self.known.get(&hash) {
                    Some(&source) => source,
                    None => {
                        let page = self.blocks.store(page, &mut self.index.blocks)?;
                        let source = Source::Stored { page };
                        self.known.insert(hash, source);
                        source
                    }
                };
                self.packed.from_images += u64::from(matches!(source, Source::Image { .. }));
                entry.push(number, source);
            }
            Ok(())
        })?;
        self.index.files.push(entry);
        Ok(())
    }

    /// Writes what is left to write.
    ///
    /// # Errors
    /// When the archive cannot be written.
    pub fn finish(mut self) -> Result<Packed, StateError> {
        let blocks = self.folder.join(BLOCKS);
        let flushed = self.blocks.flush(&mut self.index.blocks);
        flushed.map_err(failed(&blocks))?;
        let path = self.folder.join(INDEX);
        let index = postcard::to_stdvec(&self.index).map_err(io::Error::other);
        let written = index.and_then(|index| std::fs::write(&path, index));
        written.map_err(failed(&path))?;
        Ok(Packed {
            stored: self.blocks.pages,
            bytes: self.blocks.offset,
            ..self.packed
        })
    }
}

/// None for an empty page. The last page of a file counts as if zeros followed.
fn hash(page: &[u8]) -> Option<u128> {
    if is_empty(page) {
        return None;
    }
    if page.len() == PAGE {
        return Some(XxHash3_128::oneshot(page));
    }
    let mut whole = [0; PAGE];
    whole[..page.len()].copy_from_slice(page);
    Some(XxHash3_128::oneshot(&whole))
}

fn hash_pages(file: &File) -> io::Result<Vec<(u64, u128)>> {
    let mut hashes = Vec::new();
    let hashed = for_each_chunk(file, |offset, chunk| {
        let pages = chunk.par_chunks_exact(PAGE).enumerate();
        let first = offset / PAGE as u64;
        hashes.par_extend(
            pages.filter_map(|(index, page)| Some((first + index as u64, hash(page)?))),
        );
        Ok(())
    });
    match hashed {
        Ok(()) => Ok(hashes),
        Err(CopyError::Read(error) | CopyError::Write(error)) => Err(error),
    }
}

/// The blocks of an archive.
#[derive(Debug)]
struct Blocks {
    output: File,
    /// Bytes written.
    offset: u64,
    /// Pages stored, with those that wait.
    pages: u64,
    /// Pages that wait to be written.
    waiting: Vec<u8>,
}

impl Blocks {
    /// Stores a page; gives its number.
    fn store(&mut self, page: &[u8], blocks: &mut Vec<Block>) -> io::Result<u64> {
        self.waiting.extend_from_slice(page);
        self.waiting
            .resize(self.waiting.len().next_multiple_of(PAGE), 0);
        self.pages += 1;
        if self.waiting.len() == BATCH * BLOCK_PAGES * PAGE {
            self.flush(blocks)?;
        }
        Ok(self.pages - 1)
    }

    fn flush(&mut self, blocks: &mut Vec<Block>) -> io::Result<()> {
        let plain = self.waiting.par_chunks(BLOCK_PAGES * PAGE);
        let compressed = plain.map(|block| {
            let small = lz4_flex::block::compress(block);
            (small.len() <= block.len() - block.len() / WORTH).then_some(small)
        });
        let compressed: Vec<Option<Vec<u8>>> = compressed.collect();
        for (block, small) in self.waiting.chunks(BLOCK_PAGES * PAGE).zip(&compressed) {
            let bytes = small.as_deref().unwrap_or(block);
            self.output.write_all(bytes)?;
            let too_long = |_| io::Error::other("a block is too long");
            blocks.push(Block {
                offset: self.offset,
                stored: u32::try_from(bytes.len()).map_err(too_long)?,
                pages: u32::try_from(block.len() / PAGE).map_err(too_long)?,
                compressed: small.is_some(),
            });
            self.offset += bytes.len() as u64;
        }
        self.waiting.clear();
        Ok(())
    }
}

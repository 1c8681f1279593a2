//! Gets files out of an archive.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::index::{self, BLOCK_PAGES, BLOCKS, Block, INDEX, Index, Source, VERSION};
use crate::sparse::CHUNK;
use crate::{PAGE, StateError, failed, target};

/// Why content cannot be found where the index says that it is.
const MISFIT: &str = "the index does not fit the content";

/// An archive that is read.
#[derive(Debug)]
pub struct Archive {
    folder: PathBuf,
    index: Index,
    blocks: File,
    images: Vec<(PathBuf, File)>,
}

/// Pages of one block that follow each other in a file.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The first page in the block.
    from: usize,
    /// The first page in the file.
    to: u64,
    pages: usize,
}

impl Archive {
    /// Opens the archive in `folder`, and the images beside it.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged, or of another version.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join(INDEX);
        let bytes = std::fs::read(&path).map_err(failed(&path))?;
        let damaged = |reason: String| StateError::Damaged {
            path: path.clone(),
            reason,
        };
        let version = postcard::take_from_bytes::<u32>(&bytes).map(|(version, _)| version);
        match version {
            Ok(VERSION) => {}
            Ok(other) => return Err(damaged(format!("it is of version {other}, not {VERSION}"))),
            Err(error) => return Err(damaged(error.to_string())),
        }
        let index: Index =
            postcard::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?;
        let open = |name: &str| {
            let path = folder.join(name);
            let file = File::open(&path).map_err(failed(&path))?;
            Ok((path, file))
        };
        let (_, blocks) = open(BLOCKS)?;
        Ok(Self {
            folder: folder.to_owned(),
            blocks,
            images: index
                .images
                .iter()
                .map(|name| open(name))
                .collect::<Result<_, _>>()?,
            index,
        })
    }

    /// Writes the file `name` into `to`, an empty file of any kind.
    ///
    /// # Errors
    /// When there is none, or something cannot be read; [`StateError::Target`] when `to` cannot be written.
    pub fn extract(&self, name: &str, to: &File) -> Result<(), StateError> {
        let file = self.index.files.iter().find(|file| file.name == name);
        let file = file.ok_or_else(|| StateError::Missing {
            path: self.folder.clone(),
            name: name.to_owned(),
        })?;
        self.write(file, to)
    }

    fn write(&self, file: &index::File, to: &File) -> Result<(), StateError> {
        let mut blocks: BTreeMap<usize, Vec<Run>> = BTreeMap::new();
        let mut copies = Vec::new();
        for extent in &file.extents {
            match extent.source {
                Source::Image { .. } => copies.push(extent),
                Source::Stored { page } => {
                    for (block, run) in by_block(page, extent.start, extent.pages) {
                        blocks.entry(block).or_default().push(run);
                    }
                }
            }
        }
        let stored = || {
            let blocks: Vec<_> = blocks.into_iter().collect();
            blocks.into_par_iter().try_for_each(|(block, runs)| {
                let pages = self
                    .read_block(block)
                    .map_err(failed(&self.folder.join(BLOCKS)))?;
                runs.iter().try_for_each(|run| {
                    let range = run.from * PAGE..(run.from + run.pages) * PAGE;
                    let bytes = pages.get(range).ok_or_else(|| self.damaged())?;
                    to.write_all_at(bytes, run.to * PAGE as u64).map_err(target)
                })
            })
        };
        let copied = || {
            copies
                .par_iter()
                .try_for_each(|extent| self.copy(extent, to))
        };
        let (stored, copied) = rayon::join(stored, copied);
        stored.and(copied)?;
        // The last page may have been written as a whole.
        to.set_len(file.bytes).map_err(target)
    }

    fn read_block(&self, number: usize) -> io::Result<Vec<u8>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, MISFIT);
        let block: &Block = self.index.blocks.get(number).ok_or_else(damaged)?;
        let mut stored = vec![0; block.stored as usize];
        self.blocks.read_exact_at(&mut stored, block.offset)?;
        if !block.compressed {
            return Ok(stored);
        }
        let bytes = block.pages as usize * PAGE;
        lz4_flex::block::decompress(&stored, bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn damaged(&self) -> StateError {
        StateError::Damaged {
            path: self.folder.join(INDEX),
            reason: MISFIT.to_owned(),
        }
    }

    fn copy(&self, extent: &index::Extent, to: &File) -> Result<(), StateError> {
        let Source::Image { image, page } = extent.source else {
            return Ok(());
        };
        let image = self.images.get(usize::from(image));
        let (path, image) = image.ok_or_else(|| self.damaged())?;
        let mut left = extent.pages as usize * PAGE;
        let (mut from, mut at) = (page * PAGE as u64, extent.start * PAGE as u64);
        let mut buffer = vec![0; left.min(CHUNK)];
        while left > 0 {
            let part = &mut buffer[..left.min(CHUNK)];
            image.read_exact_at(part, from).map_err(failed(path))?;
            to.write_all_at(part, at).map_err(target)?;
            from += part.len() as u64;
            at += part.len() as u64;
            left -= part.len();
        }
        Ok(())
    }
}

/// Pages from `page` of the archive on, which go to `to` of a file, by the blocks that hold them.
fn by_block(page: u64, to: u64, pages: u32) -> impl Iterator<Item = (usize, Run)> {
    let (mut page, mut to, mut left) = (page, to, pages as usize);
    std::iter::from_fn(move || {
        if left == 0 {
            return None;
        }
        let from = usize::try_from(page % BLOCK_PAGES as u64).ok()?;
        let run = Run {
            from,
            to,
            pages: left.min(BLOCK_PAGES - from),
        };
        let block = usize::try_from(page / BLOCK_PAGES as u64).ok()?;
        page += run.pages as u64;
        to += run.pages as u64;
        left -= run.pages;
        Some((block, run))
    })
}

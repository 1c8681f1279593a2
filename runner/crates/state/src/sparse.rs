//! Files of which most is empty.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;

use crate::PAGE;

/// Bytes that are read at once.
pub(crate) const CHUNK: usize = 256 * PAGE;

/// Which side of a copy has failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file that is copied cannot be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// What it is copied to cannot be written.
    #[error("cannot be written")]
    Write(#[source] io::Error),
}

/// Copies `from` into the empty file `to`, without its pages of zeros.
///
/// # Errors
/// When a file cannot be read or written.
pub fn copy(from: &File, to: &File) -> Result<(), CopyError> {
    let length = from.metadata().map_err(CopyError::Read)?.len();
    to.set_len(length).map_err(CopyError::Write)?;
    for_each_chunk(from, |offset, bytes| {
        for (start, run) in runs(bytes) {
            to.write_all_at(run, offset + start)?;
        }
        Ok(())
    })
}

/// Hands over what a file holds beside its holes, in chunks that begin and, but for the last one, end at a page. What `each`
/// fails with is an error of writing.
pub(crate) fn for_each_chunk(
    file: &File,
    mut each: impl FnMut(u64, &[u8]) -> io::Result<()>,
) -> Result<(), CopyError> {
    let length = file.metadata().map_err(CopyError::Read)?.len();
    let mut buffer = vec![0; CHUNK];
    let mut position = 0;
    while let Some(data) = data_after(file, position).map_err(CopyError::Read)? {
        position = data.end;
        let mut at = data.start - data.start % PAGE as u64;
        // Whoever writes meanwhile may have made the file longer.
        let end = data.end.min(length);
        while at < end {
            let rest = usize::try_from(end - at).unwrap_or(usize::MAX);
            let chunk = &mut buffer[..rest.min(CHUNK)];
            file.read_exact_at(chunk, at).map_err(CopyError::Read)?;
            each(at, chunk).map_err(CopyError::Write)?;
            at += chunk.len() as u64;
        }
    }
    Ok(())
}

/// The next part from `position` on that is no hole.
fn data_after(file: &File, position: u64) -> io::Result<Option<Range<u64>>> {
    match seek(file, SeekFrom::Data(position)) {
        Ok(start) => Ok(Some(start..seek(file, SeekFrom::Hole(start))?)),
        Err(Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The parts of a chunk that are not empty: pages that follow each other, with their offset in it.
fn runs(chunk: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let pages = chunk.chunks(PAGE).enumerate();
    let full = pages.filter(|(_, page)| !is_empty(page));
    let mut full = full.map(|(index, page)| index * PAGE..index * PAGE + page.len());
    let mut next = full.next();
    std::iter::from_fn(move || {
        let mut run = next.take()?;
        loop {
            match full.next() {
                Some(page) if page.start == run.end => run.end = page.end,
                other => {
                    next = other;
                    break;
                }
            }
        }
        Some((run.start as u64, &chunk[run]))
    })
}

/// Whether a page holds nothing but zeros.
pub(crate) fn is_empty(page: &[u8]) -> bool {
    let (words, rest) = page.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn runs_are_what_is_not_empty() {
        let mut chunk = vec![0; 5 * PAGE + 10];
        for page in [1, 2, 5] {
            chunk[page * PAGE + 3] = 1;
        }
        let found: Vec<_> = runs(&chunk)
            .map(|(start, run)| (start, run.len()))
            .collect();
        assert_eq!(found, [(4096, 2 * PAGE), (5 * 4096, 10)]);
        assert_eq!(runs(&[0; PAGE]).count(), 0);
    }

    #[test]
    fn a_copy_is_the_same_and_holds_nothing_that_is_empty() {
        let file = || tempfile::tempfile().expect("file");
        let (from, to) = (file(), file());
        from.set_len(64 << 20).expect("set");
        from.write_all_at(&[7; PAGE], 40 << 20).expect("written");
        from.write_all_at(&[0; CHUNK], 8 << 20).expect("written");
        from.write_all_at(b"the end", (64 << 20) + 5)
            .expect("written");
        copy(&from, &to).expect("copied");
        let read = |file: &File| {
            let length = file.metadata().expect("known").len();
            let mut bytes = vec![0; usize::try_from(length).expect("short")];
            file.read_exact_at(&mut bytes, 0).expect("read");
            bytes
        };
        assert!(read(&from) == read(&to));
        let blocks = to.metadata().expect("known").blocks();
        assert!(blocks <= 4 * 8, "{blocks} blocks");
    }
}

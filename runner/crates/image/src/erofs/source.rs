//! Reads file data where the tree says it lies.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use super::ErofsError;
use crate::tree::Data;

/// Keeps the file read last open: an archive holds the data of many.
#[derive(Debug, Default)]
pub(super) struct Reader {
    open: Option<(Arc<Path>, File)>,
}

impl Reader {
    /// Fills `buffer` with the file's bytes from `start` on.
    pub(super) fn read(
        &mut self,
        data: &Data,
        start: u64,
        buffer: &mut [u8],
    ) -> Result<(), ErofsError> {
        match data {
            Data::Inline(bytes) => {
                let start = usize::try_from(start).unwrap_or(usize::MAX);
                if let Some(part) = bytes.get(start..).and_then(|rest| rest.get(..buffer.len())) {
                    buffer.copy_from_slice(part);
                }
                Ok(())
            }
            Data::Range {
                source: path,
                offset,
                ..
            } => {
                let offset = offset + start;
                let length = buffer.len() as u64;
                self.file(path)
                    .and_then(|file| file.read_exact_at(buffer, offset))
                    .map_err(|source| ErofsError::Source {
                        path: path.to_path_buf(),
                        offset,
                        length,
                        source,
                    })
            }
        }
    }

    fn file(&mut self, path: &Arc<Path>) -> std::io::Result<&File> {
        // An archive's entries share one allocation of its path: most comparisons end at the pointer.
        let known = self
            .open
            .take()
            .filter(|(open, _)| Arc::ptr_eq(open, path) || open == path);
        let file = match known {
            Some((_, file)) => file,
            None => File::open(path)?,
        };
        Ok(&self.open.insert((path.clone(), file)).1)
    }
}

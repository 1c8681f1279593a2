//! Empty disks: sparse raw files. Their file systems are made by others.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A disk that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the disk {} of {bytes} bytes", path.display())]
pub struct DiskError {
    path: PathBuf,
    bytes: u64,
    source: io::Error,
}

/// Makes a raw disk of `bytes` bytes at `path`; it takes no space until it is written to.
///
/// # Errors
/// When the file exists (a disk is never overwritten) or cannot be made at that size.
pub fn create_raw(path: &Path, bytes: u64) -> Result<(), DiskError> {
    File::create_new(path)
        .and_then(|file| file.set_len(bytes))
        .map_err(|source| DiskError {
            path: path.to_owned(),
            bytes,
            source,
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::create_raw;

    #[test]
    fn a_disk_has_its_size_and_takes_no_space() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.raw");
        create_raw(&path, 8 << 30).unwrap();
        let metadata = path.metadata().unwrap();
        assert_eq!(metadata.len(), 8 << 30);
        assert_eq!(metadata.blocks(), 0);
    }

    #[test]
    fn an_existing_disk_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.raw");
        std::fs::write(&path, "data").unwrap();
        let error = create_raw(&path, 4096).unwrap_err();
        assert!(error.to_string().contains("root.raw"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"data");
    }
}

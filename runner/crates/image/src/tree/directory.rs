//! Layers that are directories of the host: plain trees and store paths.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::layer::LayerFault;
use super::{Content, Data, Existing, LayerError, Metadata, Node, Tree};

/// The permissions a layer's files get, since the Nix store keeps only the executable bit.
#[derive(Debug, Clone, Copy)]
struct Modes {
    directory: u16,
    executable: u16,
    plain: u16,
}

const TREE: Modes = Modes {
    directory: 0o755,
    executable: 0o755,
    plain: 0o644,
};
const STORE: Modes = Modes {
    directory: 0o555,
    executable: 0o555,
    plain: 0o444,
};

pub(super) fn merge_tree(tree: &mut Tree, path: &Path) -> Result<(), LayerError> {
    let metadata = fs::metadata(path)
        .map_err(|error| LayerError::new(path, Path::new(""), LayerFault::Read(error)))?;
    if !metadata.is_dir() {
        let fault = LayerFault::Read(io::Error::from(io::ErrorKind::NotADirectory));
        return Err(LayerError::new(path, Path::new(""), fault));
    }
    Walk {
        tree,
        root: path,
        at: Path::new(""),
        modes: TREE,
    }
    .below(Path::new(""))
}

/// Merges a store path, at another place in the tree.
pub(super) fn merge_store_path(tree: &mut Tree, path: &Path, at: &Path) -> Result<(), LayerError> {
    if !path.is_absolute() {
        return Err(LayerError::new(
            path,
            Path::new(""),
            LayerFault::NotAbsolute,
        ));
    }
    Walk {
        tree,
        root: path,
        at,
        modes: STORE,
    }
    .entry(Path::new(""))
}

/// Merges one file, which comes from nowhere on the host.
pub(super) fn merge_file(tree: &mut Tree, path: &Path, bytes: &[u8]) -> Result<(), LayerError> {
    let node = Node {
        metadata: Metadata::root_owned(STORE.plain),
        content: Content::File(Data::Inline(bytes.into())),
    };
    let merged = tree.place(path.as_os_str().as_bytes(), node);
    merged
        .map(drop)
        .map_err(|error| LayerError::new(path, Path::new(""), LayerFault::Merge(error)))
}

struct Walk<'a> {
    tree: &'a mut Tree,
    /// The layer on the host.
    root: &'a Path,
    /// Where the layer goes in the tree.
    at: &'a Path,
    modes: Modes,
}

impl Walk<'_> {
    /// Merges the directory `inside` the layer's root, itself excluded.
    fn below(&mut self, inside: &Path) -> Result<(), LayerError> {
        let read = |error| LayerError::new(self.root, inside, LayerFault::Read(error));
        let mut names = fs::read_dir(join(self.root, inside))
            .map_err(read)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect::<Result<Vec<OsString>, _>>()
            .map_err(read)?;
        // So that the first of several errors does not depend on the host's file system.
        names.sort_unstable();
        for name in names {
            self.entry(&inside.join(name))?;
        }
        Ok(())
    }

    fn entry(&mut self, inside: &Path) -> Result<(), LayerError> {
        let host = join(self.root, inside);
        let place = join(self.at, inside);
        let place = place.as_os_str().as_bytes();
        let wrong = |fault| LayerError::new(self.root, inside, fault);
        let metadata =
            fs::symlink_metadata(&host).map_err(|error| wrong(LayerFault::Read(error)))?;
        let kind = metadata.file_type();

        let (mode, content) = if kind.is_dir() {
            self.tree
                .place_directory(
                    place,
                    Metadata::root_owned(self.modes.directory),
                    Existing::Keep,
                )
                .map_err(|error| wrong(LayerFault::Merge(error)))?;
            return self.below(inside);
        } else if kind.is_symlink() {
            let target = fs::read_link(&host).map_err(|error| wrong(LayerFault::Read(error)))?;
            (
                0o777,
                Content::Symlink(target.into_os_string().into_vec().into()),
            )
        } else if kind.is_file() {
            let executable = metadata.mode() & 0o100 != 0;
            let mode = if executable {
                self.modes.executable
            } else {
                self.modes.plain
            };
            (
                mode,
                Content::File(Data::Range {
                    source: host.as_path().into(),
                    offset: 0,
                    length: metadata.len(),
                }),
            )
        } else {
            return Err(wrong(LayerFault::SpecialFile));
        };
        let node = Node {
            metadata: Metadata::root_owned(mode),
            content,
        };
        self.tree
            .place(place, node)
            .map(drop)
            .map_err(|error| wrong(LayerFault::Merge(error)))
    }
}

/// Like [`Path::join`], but an empty second part adds no slash: a store path can be a file.
fn join(base: &Path, inside: &Path) -> PathBuf {
    if inside.as_os_str().is_empty() {
        base.to_owned()
    } else {
        base.join(inside)
    }
}

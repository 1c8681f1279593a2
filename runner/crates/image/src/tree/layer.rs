//! The layers a tree is merged from, and the error that says which of their entries went wrong.

use std::io;
use std::path::{Path, PathBuf};

use super::{ArchiveError, MergeError, Tree, archive, directory};

/// One layer of a machine's root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// An uncompressed tar archive. Owners, modes, devices, hard links and extended attributes are kept; file
    /// data stays in the archive and is read from there.
    Archive(PathBuf),
    /// A directory whose content becomes the tree's: owned by root, files 0755 if their owner may execute them
    /// and else 0644, directories 0755.
    Tree(PathBuf),
    /// Store paths, each at its own absolute path: owned by root, files 0444 or 0555, directories 0555.
    StorePaths(Vec<PathBuf>),
    /// The same, each by its name at the tree's root, for an image that is mounted as the store.
    Store(Vec<PathBuf>),
    /// One file at an absolute path: owned by root, 0444.
    File {
        /// Where it lies in the tree.
        path: PathBuf,
        /// What it holds.
        bytes: Box<[u8]>,
    },
}

/// An entry of a layer that cannot be part of the tree.
#[derive(Debug, thiserror::Error)]
#[error("layer {}, entry `{}`", layer.display(), entry.display())]
pub struct LayerError {
    /// The archive, directory or store path.
    pub layer: PathBuf,
    /// The entry's path inside the layer; `.` when the layer itself is meant.
    pub entry: PathBuf,
    /// What is wrong.
    #[source]
    pub fault: LayerFault,
}

/// What can be wrong with an entry.
#[derive(Debug, thiserror::Error)]
pub enum LayerFault {
    /// The host could not read it.
    #[error("cannot be read")]
    Read(#[from] io::Error),
    /// The archive is not well formed, or holds what a tree cannot.
    #[error("bad archive")]
    Archive(#[from] ArchiveError),
    /// It has no place in the tree.
    #[error("cannot be merged")]
    Merge(#[from] MergeError),
    /// A directory layer with a device, socket or pipe.
    #[error("neither file, directory nor symlink")]
    SpecialFile,
    /// A store path must say where it goes.
    #[error("a store path must be absolute")]
    NotAbsolute,
}

impl LayerError {
    pub(super) fn new(layer: &Path, entry: &Path, fault: LayerFault) -> Self {
        let entry = if entry.as_os_str().is_empty() {
            Path::new(".")
        } else {
            entry
        };
        Self {
            layer: layer.to_owned(),
            entry: entry.to_owned(),
            fault,
        }
    }
}

impl Tree {
    /// Merges layers, later ones over earlier ones.
    ///
    /// # Errors
    /// [`LayerError`] names the layer and the entry that cannot be read or merged.
    pub fn from_layers(layers: &[Layer]) -> Result<Self, LayerError> {
        let mut tree = Self::default();
        for layer in layers {
            match layer {
                Layer::Archive(path) => archive::merge(&mut tree, path)?,
                Layer::Tree(path) => directory::merge_tree(&mut tree, path)?,
                Layer::StorePaths(paths) => {
                    for path in paths {
                        directory::merge_store_path(&mut tree, path, path)?;
                    }
                }
                Layer::Store(paths) => {
                    for path in paths {
                        let name = path.file_name().unwrap_or_default();
                        directory::merge_store_path(&mut tree, path, Path::new(name))?;
                    }
                }
                Layer::File { path, bytes } => directory::merge_file(&mut tree, path, bytes)?,
            }
        }
        Ok(tree)
    }
}

//! A file tree held in memory: metadata and names, with file data by reference.
//!
//! A machine's root is a list of [`Layer`]s merged in order ([`Tree::from_layers`]). The rules:
//!
//! - A file, symlink or device replaces what has its name, but never a directory that is not empty: dropping a
//!   whole directory is a mistake far more often than a wish, so it is an error.
//! - Directories merge. An archive's directory entry sets owner, mode and times also of a directory that is there
//!   already; trees and store paths carry no owners or modes, so they leave existing directories as they are.
//! - Symlinks to directories on the way are followed inside the tree, as the running machine would: a layer with
//!   `lib/foo` over one with `lib -> usr/lib` gives `usr/lib/foo`. A missing target is made.
//! - Directories nobody described belong to root and have mode 0755.

mod archive;
mod directory;
mod layer;
mod merge;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use archive::ArchiveError;
pub use layer::{Layer, LayerError, LayerFault};
pub(crate) use merge::Existing;
pub use merge::MergeError;

/// Modification time, in seconds since the epoch, of everything whose layer has no times: the Nix store's.
pub const STORE_MTIME: i64 = 1;

/// The tree.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: Vec<Node>,
}

/// Names a node of one [`Tree`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

/// A file system object. Several names can lead to one that is not a directory (hard links).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Owner, mode, times, extended attributes.
    pub metadata: Metadata,
    /// What it is.
    pub content: Content,
}

/// What every object has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Permission bits with setuid, setgid and sticky: at most 0o7777.
    pub mode: u16,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time, whole seconds since the epoch.
    pub mtime: i64,
    /// Modification time, nanoseconds below a second.
    pub mtime_nsec: u32,
    /// Extended attributes with their full names (`security.capability`), sorted by name.
    pub xattrs: BTreeMap<Box<[u8]>, Box<[u8]>>,
}

impl Metadata {
    /// Owned by root, dated [`STORE_MTIME`], no extended attributes.
    #[must_use]
    pub fn root_owned(mode: u16) -> Self {
        Self {
            mode,
            uid: 0,
            gid: 0,
            mtime: STORE_MTIME,
            mtime_nsec: 0,
            xattrs: BTreeMap::new(),
        }
    }
}

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A directory, its names sorted by their bytes.
    Directory(BTreeMap<Box<[u8]>, NodeId>),
    /// A regular file.
    File(Data),
    /// A symlink and its target.
    Symlink(Box<[u8]>),
    /// A character device.
    CharDevice(DeviceNumber),
    /// A block device.
    BlockDevice(DeviceNumber),
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
}

/// A device's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceNumber {
    /// Major number: the driver; at most 12 bits are kept by the kernel.
    pub major: u32,
    /// Minor number: the device; at most 20 bits are kept by the kernel.
    pub minor: u32,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// In memory, for small generated files.
    Inline(Box<[u8]>),
    /// `length` bytes from byte `offset` of the file `source` on the host.
    Range {
        /// The host's file.
        source: Arc<Path>,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        length: u64,
    },
}

impl Data {
    /// Size in bytes.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Range { length, .. } => *length,
        }
    }

    /// Whether the file is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Tree {
    /// The root directory.
    pub const ROOT: NodeId = NodeId(0);

    /// A node of this tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// An upper bound for [`NodeId::index`]; some nodes may have been replaced and no longer be reachable.
    #[must_use]
    pub fn node_bound(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a path below the root, following no symlink.
    #[must_use]
    pub fn find(&self, path: impl AsRef<Path>) -> Option<NodeId> {
        let bytes = path.as_ref().as_os_str().as_encoded_bytes();
        merge::components(bytes).try_fold(Self::ROOT, |here, name| match &self.node(here).content {
            Content::Directory(entries) => entries.get(name).copied(),
            _ => None,
        })
    }

    /// A path that leads to a node, for messages; `/` if none does.
    #[must_use]
    pub fn path_of(&self, wanted: NodeId) -> String {
        let mut pending = vec![(Self::ROOT, String::new())];
        while let Some((here, path)) = pending.pop() {
            let Content::Directory(entries) = &self.node(here).content else {
                continue;
            };
            for (name, id) in entries {
                let path = format!("{path}/{}", String::from_utf8_lossy(name));
                if *id == wanted {
                    return path;
                }
                pending.push((*id, path));
            }
        }
        "/".to_owned()
    }
}

impl NodeId {
    /// Position among the tree's nodes.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests;

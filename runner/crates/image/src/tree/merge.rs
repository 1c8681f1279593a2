//! How an entry finds its place in the tree: see the rules in the parent module.

use std::collections::BTreeMap;

use super::{Content, Data, Metadata, Node, NodeId, Tree};

/// Symlinks followed for one path before it is taken for a loop: the kernel's own limit (`MAXSYMLINKS`).
const MAX_SYMLINKS: u32 = 40;

/// Longest name of a directory entry in bytes, in the kernel and in EROFS.
const MAX_NAME: usize = 255;

/// Longest target of a symlink in bytes: the kernel's `PATH_MAX` less its final zero.
const MAX_TARGET: usize = 4095;

/// Why an entry cannot have its place in the tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A path that climbs.
    #[error("the path holds a `..`")]
    ParentInPath,
    /// A path that is the root itself, for something that is not a directory.
    #[error("only a directory can be the root")]
    NotARoot,
    /// A name that no Linux file system takes.
    #[error("a name is longer than {MAX_NAME} bytes")]
    NameTooLong,
    /// A symlink that no Linux file system takes.
    #[error("the symlink's target is empty or longer than {MAX_TARGET} bytes")]
    BadTarget,
    /// Symlinks that lead nowhere.
    #[error("more than {MAX_SYMLINKS} symlinks on the way")]
    SymlinkLoop,
    /// A symlink on the way leads to a file.
    #[error("a symlink on the way leads to something that is not a directory")]
    NotADirectory,
    /// A file would drop a whole directory of an earlier layer.
    #[error("it would replace a directory that is not empty")]
    DirectoryNotEmpty,
    /// A hard link to a name that is not there.
    #[error("hard link to `{0}`, which is not there")]
    LinkTargetMissing(String),
    /// A hard link to a directory.
    #[error("hard link to `{0}`, which is a directory")]
    LinkToDirectory(String),
    /// More objects than a node number can count.
    #[error("the tree has more than 2^32 objects")]
    TooManyNodes,
}

/// What a directory entry does to a directory that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Leaves its owner, mode and times.
    Keep,
    /// Gives it the new ones.
    Update,
}

/// Where the names that are followed come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    /// An entry's own path: a file on the way gives place to a directory, as later layers override.
    OfEntry,
    /// A symlink's target: what it leads to is not the entry's to replace.
    OfSymlink,
}

/// The names of a path, without empty ones and `.`.
pub(super) fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
        .filter(|name| !matches!(*name, b"" | b"."))
}

/// The names of an entry's own path, which must not climb out of the tree.
fn own_names(path: &[u8]) -> Result<Vec<&[u8]>, MergeError> {
    components(path)
        .map(|name| match name {
            b".." => Err(MergeError::ParentInPath),
            name if name.len() > MAX_NAME => Err(MergeError::NameTooLong),
            name => Ok(name),
        })
        .collect()
}

impl Default for Tree {
    /// An empty root directory.
    fn default() -> Self {
        Self {
            nodes: vec![Node {
                metadata: Metadata::root_owned(0o755),
                content: Content::Directory(BTreeMap::new()),
            }],
        }
    }
}

impl Tree {
    /// Adds a directory owned by root, and what is missing above it; one that is there stays as it is.
    ///
    /// # Errors
    /// [`MergeError`] when the path cannot be a directory of this tree.
    pub fn add_directory(&mut self, path: &[u8], mode: u16) -> Result<NodeId, MergeError> {
        self.place_directory(path, Metadata::root_owned(mode), Existing::Keep)
    }

    /// Adds a regular file owned by root with the given bytes, and the directories that are missing above it.
    ///
    /// # Errors
    /// [`MergeError`] when the path cannot be a file of this tree.
    pub fn add_file(
        &mut self,
        path: &[u8],
        mode: u16,
        bytes: impl Into<Box<[u8]>>,
    ) -> Result<NodeId, MergeError> {
        self.place(
            path,
            Node {
                metadata: Metadata::root_owned(mode),
                content: Content::File(Data::Inline(bytes.into())),
            },
        )
    }

    pub(crate) fn place_directory(
        &mut self,
        path: &[u8],
        metadata: Metadata,
        existing: Existing,
    ) -> Result<NodeId, MergeError> {
        let names = own_names(path)?;
        let known = self.nodes.len();
        let id = self.directory(&names)?;
        if id.index() >= known || existing == Existing::Update {
            self.nodes[id.index()].metadata = metadata;
        }
        Ok(id)
    }

    /// Puts anything but a directory at `path`.
    pub(crate) fn place(&mut self, path: &[u8], node: Node) -> Result<NodeId, MergeError> {
        if let Content::Symlink(target) = &node.content
            && (target.is_empty() || target.len() > MAX_TARGET)
        {
            return Err(MergeError::BadTarget);
        }
        let id = self.push(node)?;
        self.link(path, id)?;
        Ok(id)
    }

    /// Gives the object at `target` the further name `path`.
    pub(crate) fn place_hard_link(&mut self, path: &[u8], target: &[u8]) -> Result<(), MergeError> {
        let named = || String::from_utf8_lossy(target).into_owned();
        let names = own_names(target)?;
        let (name, above) = names
            .split_last()
            .ok_or_else(|| MergeError::LinkToDirectory(named()))?;
        let parent = self.directory(above)?;
        let id = self
            .lookup(parent, name)
            .ok_or_else(|| MergeError::LinkTargetMissing(named()))?;
        if matches!(self.node(id).content, Content::Directory(_)) {
            return Err(MergeError::LinkToDirectory(named()));
        }
        self.link(path, id)
    }

    fn link(&mut self, path: &[u8], id: NodeId) -> Result<(), MergeError> {
        let names = own_names(path)?;
        let (name, above) = names.split_last().ok_or(MergeError::NotARoot)?;
        let parent = self.directory(above)?;
        if let Some(old) = self.lookup(parent, name)
            && let Content::Directory(entries) = &self.node(old).content
            && !entries.is_empty()
        {
            return Err(MergeError::DirectoryNotEmpty);
        }
        self.insert(parent, name, id);
        Ok(())
    }

    /// The directory with these names from the root, symlinks followed, made where missing.
    fn directory(&mut self, names: &[&[u8]]) -> Result<NodeId, MergeError> {
        let mut trail = vec![Self::ROOT];
        self.descend(&mut trail, names, &mut 0, Names::OfEntry)?;
        Ok(last(&trail))
    }

    /// Goes from the end of `trail` (the directories from the root to here) along `names`.
    fn descend(
        &mut self,
        trail: &mut Vec<NodeId>,
        names: &[&[u8]],
        links: &mut u32,
        origin: Names,
    ) -> Result<(), MergeError> {
        for &name in names {
            if name == b".." {
                trail.truncate((trail.len() - 1).max(1));
                continue;
            }
            let here = last(trail);
            let found = self.lookup(here, name);
            match found.map(|id| (id, &self.node(id).content)) {
                Some((id, Content::Directory(_))) => trail.push(id),
                Some((_, Content::Symlink(target))) => {
                    let target = target.clone();
                    *links += 1;
                    if *links > MAX_SYMLINKS {
                        return Err(MergeError::SymlinkLoop);
                    }
                    if target.starts_with(b"/") {
                        trail.truncate(1);
                    }
                    let names: Vec<&[u8]> = components(&target).collect();
                    self.descend(trail, &names, links, Names::OfSymlink)?;
                }
                Some(_) if origin == Names::OfSymlink => return Err(MergeError::NotADirectory),
                Some(_) | None => {
                    if name.len() > MAX_NAME {
                        return Err(MergeError::NameTooLong);
                    }
                    let made = self.push(Node {
                        metadata: Metadata::root_owned(0o755),
                        content: Content::Directory(BTreeMap::new()),
                    })?;
                    self.insert(here, name, made);
                    trail.push(made);
                }
            }
        }
        Ok(())
    }

    fn lookup(&self, directory: NodeId, name: &[u8]) -> Option<NodeId> {
        match &self.node(directory).content {
            Content::Directory(entries) => entries.get(name).copied(),
            _ => None,
        }
    }

    fn insert(&mut self, directory: NodeId, name: &[u8], id: NodeId) {
        if let Content::Directory(entries) = &mut self.nodes[directory.index()].content {
            entries.insert(name.into(), id);
        }
    }

    fn push(&mut self, node: Node) -> Result<NodeId, MergeError> {
        let id = u32::try_from(self.nodes.len()).map_err(|_| MergeError::TooManyNodes)?;
        self.nodes.push(node);
        Ok(NodeId(id))
    }
}

fn last(trail: &[NodeId]) -> NodeId {
    trail.last().copied().unwrap_or(Tree::ROOT)
}

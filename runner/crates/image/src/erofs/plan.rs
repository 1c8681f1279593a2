//! Gives every object its inode number and every byte of data its place.

use super::space::{SLOT, Space};
use super::{BLOCK, ErofsError, dirent, xattr};
use crate::tree::{Content, Metadata, NodeId, STORE_MTIME, Tree};

/// Where the metadata area starts. Inodes are counted from block 0 all the same (`meta_blkaddr` is 0), so that none
/// has the number 0, which `readdir` callers take for a deleted entry.
pub(super) const METADATA_START: u64 = BLOCK;

/// Sizes of `struct erofs_inode_compact` and `struct erofs_inode_extended`.
const COMPACT: u64 = 32;
const EXTENDED: u64 = 64;

/// The whole image.
#[derive(Debug)]
pub(super) struct Plan {
    /// In breadth-first order; the root is the first.
    pub(super) inodes: Vec<PlannedInode>,
    /// By node: its position in `inodes`, or [`UNREACHABLE`].
    by_node: Vec<u32>,
    /// First block of the data area.
    pub(super) data_start: u64,
    data_blocks: u64,
}

const UNREACHABLE: u32 = u32::MAX;

/// One object.
#[derive(Debug)]
pub(super) struct PlannedInode {
    pub(super) node: NodeId,
    /// The directory that lists it; for directories that is what `..` leads to.
    pub(super) parent: NodeId,
    /// Byte position in the image.
    pub(super) position: u64,
    /// Whether it needs the extended form.
    pub(super) extended: bool,
    /// Size of its data in bytes.
    pub(super) size: u64,
    /// First of its blocks, counted from `data_start`; meaningless if it has none.
    pub(super) first_block: u64,
    /// Number of blocks it has in the data area.
    pub(super) blocks: u64,
    /// Number of names that lead to it.
    pub(super) links: u32,
}

impl PlannedInode {
    /// Bytes of data that follow the inode instead of being in the data area.
    pub(super) fn tail(&self) -> u64 {
        self.size.saturating_sub(self.blocks * BLOCK)
    }

    /// Size of the inode itself.
    pub(super) fn head(&self) -> u64 {
        if self.extended { EXTENDED } else { COMPACT }
    }
}

impl Plan {
    pub(super) fn new(tree: &Tree) -> Result<Self, ErofsError> {
        let mut plan = Self {
            inodes: Vec::new(),
            by_node: vec![UNREACHABLE; tree.node_bound()],
            data_start: 0,
            data_blocks: 0,
        };
        plan.list(tree)?;
        plan.place(tree)?;
        if u32::try_from(plan.blocks()).is_err() {
            return Err(ErofsError::TooLarge);
        }
        Ok(plan)
    }

    /// Size of the image in blocks.
    pub(super) fn blocks(&self) -> u64 {
        self.data_start + self.data_blocks
    }

    /// The number by which directories name an inode.
    pub(super) fn nid(&self, node: NodeId) -> u64 {
        self.inodes[self.by_node[node.index()] as usize].position / SLOT
    }

    /// Lists all objects and counts the names that lead to them.
    fn list(&mut self, tree: &Tree) -> Result<(), ErofsError> {
        self.name(tree, Tree::ROOT, Tree::ROOT)?;
        let mut next = 0;
        while let Some(inode) = self.inodes.get(next) {
            let node = inode.node;
            if let Content::Directory(entries) = &tree.node(node).content {
                for child in entries.values() {
                    self.name(tree, *child, node)?;
                    if matches!(tree.node(*child).content, Content::Directory(_)) {
                        // The child's `..`.
                        self.inodes[next].links += 1;
                    }
                }
            }
            next += 1;
        }
        Ok(())
    }

    fn name(&mut self, tree: &Tree, node: NodeId, parent: NodeId) -> Result<(), ErofsError> {
        let known = self.by_node[node.index()];
        if known != UNREACHABLE {
            self.inodes[known as usize].links += 1;
            return Ok(());
        }
        let index = u32::try_from(self.inodes.len())
            .ok()
            .filter(|index| *index != UNREACHABLE);
        self.by_node[node.index()] = index.ok_or(ErofsError::TooLarge)?;
        let (size, links) = match &tree.node(node).content {
            // Its name above and its own `.`.
            Content::Directory(_) => (dirent::size(&dirent::names(tree, node, parent)), 2),
            Content::File(data) => (data.len(), 1),
            Content::Symlink(target) => (target.len() as u64, 1),
            _ => (0, 1),
        };
        self.inodes.push(PlannedInode {
            node,
            parent,
            position: 0,
            extended: false,
            size,
            first_block: 0,
            blocks: 0,
            links,
        });
        Ok(())
    }

    /// Lays the objects out, in their order.
    fn place(&mut self, tree: &Tree) -> Result<(), ErofsError> {
        let mut space = Space::new();
        for inode in &mut self.inodes {
            let metadata = &tree.node(inode.node).metadata;
            inode.extended = needs_extended(metadata, inode.size, inode.links);
            let xattrs = xattr::encode(&metadata.xattrs)
                .map_err(|fault| xattr_error(tree, inode.node, fault))?;
            let head = inode.head() + xattrs.len() as u64;
            let tail = inode.size % BLOCK;
            // Data behind an inode must end in the block it starts in; what does not fit gets a block of its own.
            let inline = tail > 0 && head + tail <= BLOCK;
            inode.blocks = inode.size / BLOCK + u64::from(tail > 0 && !inline);
            inode.position = METADATA_START + space.allocate(head + if inline { tail } else { 0 });
            inode.first_block = self.data_blocks;
            self.data_blocks = self
                .data_blocks
                .checked_add(inode.blocks)
                .ok_or(ErofsError::TooLarge)?;
        }
        self.data_start = METADATA_START / BLOCK + space.blocks();
        Ok(())
    }
}

/// Compact inodes have short fields and the time of the superblock.
fn needs_extended(metadata: &Metadata, size: u64, links: u32) -> bool {
    metadata.uid > u32::from(u16::MAX)
        || metadata.gid > u32::from(u16::MAX)
        || links > u32::from(u16::MAX)
        || size > u64::from(u32::MAX)
        || (metadata.mtime, metadata.mtime_nsec) != (STORE_MTIME, 0)
}

fn xattr_error(tree: &Tree, node: NodeId, fault: xattr::XattrFault<'_>) -> ErofsError {
    let file = tree.path_of(node);
    match fault {
        xattr::XattrFault::Namespace(name) => ErofsError::XattrNamespace {
            file,
            name: String::from_utf8_lossy(name).into_owned(),
        },
        xattr::XattrFault::TooLarge => ErofsError::XattrTooLarge { file },
    }
}

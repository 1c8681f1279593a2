//! Directory data: blocks of `erofs_dirent` records with the names behind them.
//!
//! The kernel finds a name by binary search over blocks and then inside one, so names are in the order of their
//! bytes throughout, `.` and `..` among them.

use super::{BLOCK, plan::Plan};
use crate::tree::{Content, NodeId, Tree};

/// Size of `struct erofs_dirent`.
const DIRENT: usize = 12;

const BLOCK_SIZE: usize = 4096;
const _: () = assert!(BLOCK_SIZE as u64 == BLOCK);

/// A directory's names in order, each with the node it leads to.
pub(super) fn names(tree: &Tree, directory: NodeId, parent: NodeId) -> Vec<(&[u8], NodeId)> {
    let mut names: Vec<(&[u8], NodeId)> = vec![(b".", directory), (b"..", parent)];
    if let Content::Directory(entries) = &tree.node(directory).content {
        names.extend(entries.iter().map(|(name, id)| (&**name, *id)));
    }
    names.sort_unstable_by_key(|(name, _)| *name);
    names
}

/// How many of the first names go to one block, and how many bytes they take in it.
fn first_block<'a>(names: impl Iterator<Item = &'a [u8]>) -> (usize, usize) {
    let mut count = 0;
    let mut used = 0;
    for name in names {
        let with = used + DIRENT + name.len();
        if with > BLOCK_SIZE {
            break;
        }
        used = with;
        count += 1;
    }
    (count, used)
}

/// Size of a directory's data in bytes: whole blocks, and the used part of the last one.
pub(super) fn size(names: &[(&[u8], NodeId)]) -> u64 {
    let mut rest = names;
    let mut size = 0;
    loop {
        let (count, used) = first_block(rest.iter().map(|(name, _)| *name));
        rest = &rest[count..];
        if rest.is_empty() {
            return size + used as u64;
        }
        size += BLOCK;
    }
}

/// A directory's data, of the size that [`size`] tells.
pub(super) fn encode(names: &[(&[u8], NodeId)], tree: &Tree, plan: &Plan) -> Vec<u8> {
    let mut data = Vec::new();
    let mut rest = names;
    loop {
        let (count, _) = first_block(rest.iter().map(|(name, _)| *name));
        let (here, later) = rest.split_at(count);
        let mut offset = count * DIRENT;
        for (name, id) in here {
            data.extend(plan.nid(*id).to_le_bytes());
            // Below the block's size.
            data.extend(u16::try_from(offset).unwrap_or(u16::MAX).to_le_bytes());
            data.extend([file_type(&tree.node(*id).content), 0]);
            offset += name.len();
        }
        here.iter().for_each(|(name, _)| data.extend(*name));
        if later.is_empty() {
            return data;
        }
        data.resize(data.len().next_multiple_of(BLOCK_SIZE), 0);
        rest = later;
    }
}

/// `EROFS_FT_*`.
fn file_type(content: &Content) -> u8 {
    match content {
        Content::File(_) => 1,
        Content::Directory(_) => 2,
        Content::CharDevice(_) => 3,
        Content::BlockDevice(_) => 4,
        Content::Fifo => 5,
        Content::Socket => 6,
        Content::Symlink(_) => 7,
    }
}

//! Writes the metadata area: inodes, their extended attributes and the tails of their data.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::plan::{METADATA_START, Plan, PlannedInode};
use super::source::Reader;
use super::{BLOCK, ErofsError, dirent, xattr};
use crate::tree::{Content, DeviceNumber, Tree};

/// `i_format`: bit 0 says that the inode is extended, bits 1 to 3 hold the data layout.
const FORMAT_EXTENDED: u16 = 1;
/// `EROFS_INODE_FLAT_PLAIN`: all data in blocks.
const LAYOUT_PLAIN: u16 = 0;
/// `EROFS_INODE_FLAT_INLINE`: the tail behind the inode.
const LAYOUT_INLINE: u16 = 2 << 1;

const ZEROS: [u8; 4096] = [0; 4096];

/// A [`Write`] at a moving position of a shared file.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    pub(super) file: &'a File,
    pub(super) position: u64,
}

impl Write for Cursor<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.position)?;
        self.position += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn write(tree: &Tree, plan: &Plan, file: &File, path: &Path) -> Result<(), ErofsError> {
    let failed = |source| ErofsError::Image {
        path: path.to_owned(),
        source,
    };
    let mut order: Vec<&PlannedInode> = plan.inodes.iter().collect();
    order.sort_unstable_by_key(|inode| inode.position);

    let mut output = BufWriter::with_capacity(
        1 << 20,
        Cursor {
            file,
            position: METADATA_START,
        },
    );
    let mut reader = Reader::default();
    let mut position = METADATA_START;
    let mut bytes = Vec::new();
    for inode in order {
        bytes.clear();
        encode(tree, plan, inode, &mut reader, &mut bytes)?;
        // Gaps are shorter than a block.
        let gap = usize::try_from(inode.position - position).unwrap_or(ZEROS.len());
        output
            .write_all(&ZEROS[..gap])
            .and_then(|()| output.write_all(&bytes))
            .map_err(failed)?;
        position = inode.position + bytes.len() as u64;
    }
    output.flush().map_err(failed)
}

/// An inode with everything that follows it.
fn encode(
    tree: &Tree,
    plan: &Plan,
    inode: &PlannedInode,
    reader: &mut Reader,
    bytes: &mut Vec<u8>,
) -> Result<(), ErofsError> {
    // Faults were found when the image was planned.
    let xattrs = xattr::encode(&tree.node(inode.node).metadata.xattrs).unwrap_or_default();
    head(
        tree,
        plan,
        inode,
        xattr::count(xattrs.len()).unwrap_or(0),
        bytes,
    );
    bytes.extend(xattrs);
    let tail = usize::try_from(inode.tail()).unwrap_or(0);
    if tail == 0 {
        return Ok(());
    }
    match &tree.node(inode.node).content {
        Content::File(data) => {
            let start = bytes.len();
            bytes.resize(start + tail, 0);
            reader.read(data, inode.blocks * BLOCK, &mut bytes[start..])?;
        }
        Content::Directory(_) => {
            let names = dirent::names(tree, inode.node, inode.parent);
            let data = dirent::encode(&names, tree, plan);
            bytes.extend(&data[data.len() - tail..]);
        }
        Content::Symlink(target) => bytes.extend(&**target),
        _ => {}
    }
    Ok(())
}

fn head(tree: &Tree, plan: &Plan, inode: &PlannedInode, xattr_count: u16, bytes: &mut Vec<u8>) {
    let node = tree.node(inode.node);
    let metadata = &node.metadata;
    let layout = if inode.tail() > 0 {
        LAYOUT_INLINE
    } else {
        LAYOUT_PLAIN
    };
    let format = layout | if inode.extended { FORMAT_EXTENDED } else { 0 };
    // `i_u`: the first block or the device's number. The plan keeps blocks below 2^32.
    let place = match &node.content {
        Content::CharDevice(number) | Content::BlockDevice(number) => device(*number),
        _ if inode.blocks > 0 => u32::try_from(plan.data_start + inode.first_block).unwrap_or(0),
        _ => 0,
    };
    // `i_ino`: for 32-bit callers of stat only.
    let ino = u32::try_from(plan.nid(inode.node)).unwrap_or(u32::MAX);

    bytes.extend(format.to_le_bytes());
    bytes.extend(xattr_count.to_le_bytes());
    bytes.extend((file_type(&node.content) | metadata.mode).to_le_bytes());
    if inode.extended {
        bytes.extend([0; 2]);
        bytes.extend(inode.size.to_le_bytes());
        bytes.extend(place.to_le_bytes());
        bytes.extend(ino.to_le_bytes());
        bytes.extend(metadata.uid.to_le_bytes());
        bytes.extend(metadata.gid.to_le_bytes());
        bytes.extend(metadata.mtime.to_le_bytes());
        bytes.extend(metadata.mtime_nsec.to_le_bytes());
        bytes.extend(inode.links.to_le_bytes());
        bytes.extend([0; 16]);
    } else {
        // The plan made the inode an extended one if a field would not fit.
        let short = |value: u32| u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes();
        bytes.extend(short(inode.links));
        bytes.extend(u32::try_from(inode.size).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(place.to_le_bytes());
        bytes.extend(ino.to_le_bytes());
        bytes.extend(short(metadata.uid));
        bytes.extend(short(metadata.gid));
        bytes.extend([0; 4]);
    }
}

/// `S_IF*`, see inode(7).
fn file_type(content: &Content) -> u16 {
    match content {
        Content::Fifo => 0o010_000,
        Content::CharDevice(_) => 0o020_000,
        Content::Directory(_) => 0o040_000,
        Content::BlockDevice(_) => 0o060_000,
        Content::File(_) => 0o100_000,
        Content::Symlink(_) => 0o120_000,
        Content::Socket => 0o140_000,
    }
}

/// The kernel's `new_encode_dev`: 12 bits of major number between the low 8 and the high 12 of the minor.
fn device(number: DeviceNumber) -> u32 {
    let major = number.major & 0xfff;
    let minor = number.minor & 0xf_ffff;
    (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
}

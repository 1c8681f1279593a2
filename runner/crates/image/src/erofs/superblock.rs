//! The superblock (`struct erofs_super_block`).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::plan::Plan;
use super::{BLOCK, Label};
use crate::tree::{STORE_MTIME, Tree};

/// Where it lies, after room for a boot sector.
const OFFSET: usize = 1024;
const MAGIC: u32 = 0xE0F5_E1E2;
/// `EROFS_FEATURE_COMPAT_SB_CHKSUM` and `EROFS_FEATURE_COMPAT_MTIME`: the checksum is valid, times are mtimes.
const FEATURE_COMPAT: u32 = 0x1 | 0x2;
/// Where the checksum lies in the superblock.
const CHECKSUM: std::ops::Range<usize> = 4..8;
/// Fixed, so that equal trees give equal images: no machine finds its root by it.
const UUID: [u8; 16] = *b"nix-vmtest-erofs";

/// Writes block 0.
pub(super) fn write(plan: &Plan, label: Label, file: &File) -> io::Result<()> {
    file.write_all_at(&block(plan, label), 0)
}

fn block(plan: &Plan, label: Label) -> Vec<u8> {
    let mut block = vec![0; OFFSET];
    block.extend(MAGIC.to_le_bytes());
    block.extend([0; 4]);
    block.extend(FEATURE_COMPAT.to_le_bytes());
    // `blkszbits`, `sb_extslots`.
    block.extend([u8::try_from(BLOCK.ilog2()).unwrap_or(0), 0]);
    // The root comes first, so that its number has 16 bits.
    block.extend(
        u16::try_from(plan.nid(Tree::ROOT))
            .unwrap_or(0)
            .to_le_bytes(),
    );
    block.extend((plan.inodes.len() as u64).to_le_bytes());
    // The time of compact inodes: seconds and nanoseconds.
    block.extend(STORE_MTIME.to_le_bytes());
    block.extend([0; 4]);
    block.extend(
        u32::try_from(plan.blocks())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    // `meta_blkaddr`, `xattr_blkaddr`.
    block.extend([0; 8]);
    block.extend(UUID);
    block.extend(label.0);
    // No incompatible features, and nothing of what they would describe.
    block.resize(usize::try_from(BLOCK).unwrap_or(0), 0);
    let checksum = crc32c(&block[OFFSET..]);
    block[OFFSET..][CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    block
}

/// CRC-32C (Castagnoli), reflected, as the kernel's `crc32c(~0, …)`: the result is not inverted.
fn crc32c(bytes: &[u8]) -> u32 {
    bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::crc32c;

    #[test]
    fn the_checksum_is_castagnolis() {
        // The check value of CRC-32C, inverted back.
        assert_eq!(!crc32c(b"123456789"), 0xE306_9283);
    }
}

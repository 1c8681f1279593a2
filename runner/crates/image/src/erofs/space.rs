//! Where inodes go in the metadata area.
//!
//! Data that follows an inode must not cross a block's end, so blocks are left with gaps. Each inode goes to the
//! smallest gap that takes it, the one opened last among equals, or else to a new block.

use super::BLOCK;

/// Inodes lie at multiples of this many bytes, and are numbered by it.
pub(super) const SLOT: u64 = 32;

const SLOTS_PER_BLOCK: usize = 128;

/// The metadata area: bytes from its start are handed out and never taken back.
#[derive(Debug)]
pub(super) struct Space {
    /// Blocks in use.
    blocks: u64,
    /// By their size in slots: where the gaps are.
    gaps: [Vec<u64>; SLOTS_PER_BLOCK],
}

impl Space {
    pub(super) fn new() -> Self {
        Self {
            blocks: 0,
            gaps: [const { Vec::new() }; SLOTS_PER_BLOCK],
        }
    }

    pub(super) fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Finds room for `size` bytes (at least one); up to a block they are in one block, more start at a block.
    pub(super) fn allocate(&mut self, size: u64) -> u64 {
        let needed = size.next_multiple_of(SLOT);
        let slots = usize::try_from(needed / SLOT).unwrap_or(usize::MAX);
        let gap = self.gaps.iter_mut().skip(slots).find_map(Vec::pop);
        let start = gap.unwrap_or_else(|| {
            let start = self.blocks * BLOCK;
            self.blocks += needed.div_ceil(BLOCK);
            start
        });
        let end = start + needed;
        let left = end.next_multiple_of(BLOCK) - end;
        if let Ok(slots) = usize::try_from(left / SLOT)
            && slots > 0
        {
            self.gaps[slots].push(end);
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{BLOCK, SLOT, Space};

    #[test]
    fn gaps_are_filled_before_a_new_block_is_taken() {
        let mut space = Space::new();
        assert_eq!(space.allocate(4000), 0);
        assert_eq!(space.allocate(1000), 4096);
        assert_eq!(space.allocate(64), 4000);
        assert_eq!(space.allocate(64), 4096 + 1024);
        assert_eq!(space.allocate(32), 4064);
        assert_eq!(space.allocate(9000), 8192);
        assert_eq!(space.blocks(), 5);
    }

    proptest! {
        #[test]
        fn nothing_overlaps_or_crosses(sizes in prop::collection::vec(1u64..10_000, 0..200)) {
            let mut space = Space::new();
            let mut taken: Vec<(u64, u64)> =
                sizes.iter().map(|&size| (space.allocate(size), size)).collect();
            taken.sort_unstable();
            for &(start, size) in &taken {
                prop_assert_eq!(start % SLOT, 0);
                prop_assert!(start + size <= space.blocks() * BLOCK);
                if size <= BLOCK {
                    prop_assert_eq!(start / BLOCK, (start + size - 1) / BLOCK);
                }
            }
            for pair in taken.windows(2) {
                prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0);
            }
        }
    }
}

//! The numbers by which a guest names files and handles.
//!
//! A guest that goes on from where it was saved has numbers that a server gave it which is gone. So those that are given now
//! are of another epoch, which stands in their upper bits: a number of an earlier one is recognised, whatever it meant, and
//! nothing else is taken for it. The root has the same number in all epochs.

use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use fuse_backend_rs::api::filesystem::ROOT_ID;
use rustix::io::Errno;

/// Where the epoch stands. Numbers themselves are counted, from 1 on.
const SHIFT: u32 = 48;

const NUMBER: u64 = (1 << SHIFT) - 1;

/// Numbers of one epoch.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    epoch: AtomicU16,
}

impl Numbers {
    pub(super) fn epoch(&self) -> u16 {
        self.epoch.load(Ordering::Relaxed)
    }

    pub(super) fn set_epoch(&self, epoch: u16) {
        self.epoch.store(epoch, Ordering::Relaxed);
    }

    /// The file that a guest names.
    pub(super) fn inode(&self, given: u64) -> io::Result<u64> {
        match given {
            ROOT_ID => Ok(given),
            _ => self.handle(given),
        }
    }

    /// The handle that a guest names.
    pub(super) fn handle(&self, given: u64) -> io::Result<u64> {
        match given >> SHIFT == u64::from(self.epoch()) {
            true => Ok(given & NUMBER),
            false => Err(Errno::STALE.into()),
        }
    }

    pub(super) fn handle_if_any(&self, given: Option<u64>) -> io::Result<Option<u64>> {
        given.map(|given| self.handle(given)).transpose()
    }

    /// The number that a guest is given for a file. 0 is none.
    pub(super) fn given_inode(&self, inode: u64) -> u64 {
        match inode {
            0 | ROOT_ID => inode,
            _ => self.given(inode),
        }
    }

    /// The number that a guest is given for a handle.
    pub(super) fn given_handle(&self, handle: Option<u64>) -> Option<u64> {
        handle.map(|handle| self.given(handle))
    }

    fn given(&self, number: u64) -> u64 {
        u64::from(self.epoch()) << SHIFT | number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_an_earlier_epoch_are_stale_and_the_root_never_is() {
        let numbers = Numbers::default();
        let (file, handle) = (numbers.given_inode(7), numbers.given_handle(Some(7)));
        assert_eq!(numbers.inode(file).expect("known"), 7);
        assert_eq!(numbers.handle_if_any(handle).expect("known"), Some(7));
        numbers.set_epoch(numbers.epoch() + 1);
        for stale in [numbers.inode(file), numbers.handle(7)] {
            let error = stale.expect_err("stale");
            assert_eq!(Errno::from_io_error(&error), Some(Errno::STALE));
        }
        assert_ne!(numbers.given_inode(7), file);
        assert_eq!(numbers.inode(numbers.given_inode(7)).expect("known"), 7);
        assert_eq!(numbers.inode(ROOT_ID).expect("known"), ROOT_ID);
        assert_eq!(numbers.given_inode(ROOT_ID), ROOT_ID);
        assert_eq!(numbers.given_inode(0), 0);
    }
}

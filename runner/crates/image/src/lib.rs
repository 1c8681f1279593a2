//! Builds what a machine boots from, without privileges and without other programs.
//!
//! | module | what it makes |
//! |---|---|
//! | [`tree`] | one file tree out of a machine's layers: archives, directories, store paths |
//! | [`erofs`] | the read-only root image of such a tree |
//! | [`cpio`] | an initrd |
//! | [`kernel`] | the kernel inside a bzImage, uncompressed |
//! | [`modules`] | the kernel modules an initrd needs, in load order, decompressed |
//! | [`disk`] | empty disks |
//!
//! Everything is synchronous and deterministic: the same input gives the same bytes. File data is never held
//! in memory as a whole; only the kernel modules and what the caller hands over as bytes are.

pub mod cpio;
pub mod disk;
pub mod erofs;
pub mod kernel;
pub mod modules;
pub mod tree;

//! What becomes of each of the guest's requests: one function each, as FUSE has them.

use std::ffi::CStr;
use std::io;
use std::time::Duration;

use fuse_backend_rs::abi::fuse_abi::{CreateIn, FsOptions, OpenOptions, stat64, statvfs64};
use fuse_backend_rs::api::filesystem::{
    Context, DirEntry, Entry, FileSystem, SetattrValid, ZeroCopyReader, ZeroCopyWriter,
};
use rustix::io::Errno;

use super::{Folder, Handle, Inode, of_root};

/// Bits of a mode that give a program its owner's or group's rights.
const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;

impl FileSystem for Folder {
    type Inode = Inode;
    type Handle = Handle;

    fn init(&self, capable: FsOptions) -> io::Result<FsOptions> {
        self.begin(capable)
    }

    fn destroy(&self) {
        self.files.destroy();
    }

    /// What a guest makes belongs to the runner's user, whoever makes it.
    fn id_remap(&self, context: &mut Context) -> io::Result<()> {
        context.uid = 0;
        context.gid = 0;
        Ok(())
    }

    fn lookup(&self, context: &Context, parent: Inode, name: &CStr) -> io::Result<Entry> {
        let parent = self.numbers.inode(parent)?;
        self.files
            .lookup(context, parent, name)
            .map(|entry| self.entry(entry))
    }

    fn forget(&self, context: &Context, inode: Inode, count: u64) {
        // What an earlier epoch has given is forgotten already.
        if let Ok(inode) = self.numbers.inode(inode) {
            self.files.forget(context, inode, count);
        }
    }

    fn batch_forget(&self, context: &Context, requests: Vec<(Inode, u64)>) {
        for (inode, count) in requests {
            self.forget(context, inode, count);
        }
    }

    fn getattr(
        &self,
        context: &Context,
        inode: Inode,
        handle: Option<Handle>,
    ) -> io::Result<(stat64, Duration)> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle_if_any(handle)?;
        let (attributes, valid) = self.files.getattr(context, inode, handle)?;
        Ok((of_root(attributes), valid))
    }

    fn setattr(
        &self,
        context: &Context,
        inode: Inode,
        mut attributes: stat64,
        handle: Option<Handle>,
        mut which: SetattrValid,
    ) -> io::Result<(stat64, Duration)> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle_if_any(handle)?;
        self.writable()?;
        which.remove(SetattrValid::UID | SetattrValid::GID);
        attributes.st_mode &= !SET_ID;
        let set = self
            .files
            .setattr(context, inode, attributes, handle, which);
        set.map(|(attributes, valid)| (of_root(attributes), valid))
    }

    fn readlink(&self, context: &Context, inode: Inode) -> io::Result<Vec<u8>> {
        let inode = self.numbers.inode(inode)?;
        self.files.readlink(context, inode)
    }

    fn symlink(
        &self,
        context: &Context,
        target: &CStr,
        parent: Inode,
        name: &CStr,
    ) -> io::Result<Entry> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        let made = self.files.symlink(context, target, parent, name);
        made.map(|entry| self.entry(entry))
    }

    fn mknod(
        &self,
        context: &Context,
        parent: Inode,
        name: &CStr,
        mode: u32,
        device: u32,
        umask: u32,
    ) -> io::Result<Entry> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        if matches!(mode & libc::S_IFMT, libc::S_IFBLK | libc::S_IFCHR) {
            return Err(Errno::PERM.into());
        }
        let mode = mode & !SET_ID;
        let made = self.files.mknod(context, parent, name, mode, device, umask);
        made.map(|entry| self.entry(entry))
    }

    fn mkdir(
        &self,
        context: &Context,
        parent: Inode,
        name: &CStr,
        mode: u32,
        umask: u32,
    ) -> io::Result<Entry> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        let made = self
            .files
            .mkdir(context, parent, name, mode & !SET_ID, umask);
        made.map(|entry| self.entry(entry))
    }

    fn unlink(&self, context: &Context, parent: Inode, name: &CStr) -> io::Result<()> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        self.files.unlink(context, parent, name)
    }

    fn rmdir(&self, context: &Context, parent: Inode, name: &CStr) -> io::Result<()> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        self.files.rmdir(context, parent, name)
    }

    fn rename(
        &self,
        context: &Context,
        parent: Inode,
        name: &CStr,
        new_parent: Inode,
        new_name: &CStr,
        flags: u32,
    ) -> io::Result<()> {
        let parent = self.numbers.inode(parent)?;
        let new_parent = self.numbers.inode(new_parent)?;
        self.writable()?;
        self.files
            .rename(context, parent, name, new_parent, new_name, flags)
    }

    fn link(
        &self,
        context: &Context,
        inode: Inode,
        parent: Inode,
        name: &CStr,
    ) -> io::Result<Entry> {
        let inode = self.numbers.inode(inode)?;
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        let made = self.files.link(context, inode, parent, name);
        made.map(|entry| self.entry(entry)).map_err(no_links)
    }

    fn open(
        &self,
        context: &Context,
        inode: Inode,
        flags: u32,
        fuse_flags: u32,
    ) -> io::Result<(Option<Handle>, OpenOptions, Option<u32>)> {
        let inode = self.numbers.inode(inode)?;
        let bits = flags.cast_signed();
        if bits & libc::O_ACCMODE != libc::O_RDONLY || bits & libc::O_TRUNC != 0 {
            self.writable()?;
        }
        let (handle, options, backing) = self.files.open(context, inode, flags, fuse_flags)?;
        Ok((self.numbers.given_handle(handle), options, backing))
    }

    fn create(
        &self,
        context: &Context,
        parent: Inode,
        name: &CStr,
        mut how: CreateIn,
    ) -> io::Result<(Entry, Option<Handle>, OpenOptions, Option<u32>)> {
        let parent = self.numbers.inode(parent)?;
        self.writable()?;
        how.mode &= !SET_ID;
        let (entry, handle, options, backing) = self.files.create(context, parent, name, how)?;
        let handle = self.numbers.given_handle(handle);
        Ok((self.entry(entry), handle, options, backing))
    }

    fn read(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        to: &mut dyn ZeroCopyWriter,
        size: u32,
        offset: u64,
        lock_owner: Option<u64>,
        flags: u32,
    ) -> io::Result<usize> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files
            .read(context, inode, handle, to, size, offset, lock_owner, flags)
    }

    fn write(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        from: &mut dyn ZeroCopyReader,
        size: u32,
        offset: u64,
        lock_owner: Option<u64>,
        delayed: bool,
        flags: u32,
        fuse_flags: u32,
    ) -> io::Result<usize> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.write(
            context, inode, handle, from, size, offset, lock_owner, delayed, flags, fuse_flags,
        )
    }

    fn flush(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        lock_owner: u64,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.flush(context, inode, handle, lock_owner)
    }

    fn fsync(
        &self,
        context: &Context,
        inode: Inode,
        data_only: bool,
        handle: Handle,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.fsync(context, inode, data_only, handle)
    }

    fn fallocate(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        mode: u32,
        offset: u64,
        length: u64,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files
            .fallocate(context, inode, handle, mode, offset, length)
    }

    fn lseek(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        offset: u64,
        whence: u32,
    ) -> io::Result<u64> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.lseek(context, inode, handle, offset, whence)
    }

    fn release(
        &self,
        context: &Context,
        inode: Inode,
        flags: u32,
        handle: Handle,
        flush: bool,
        unlock: bool,
        lock_owner: Option<u64>,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files
            .release(context, inode, flags, handle, flush, unlock, lock_owner)
    }

    fn statfs(&self, context: &Context, inode: Inode) -> io::Result<statvfs64> {
        let inode = self.numbers.inode(inode)?;
        self.files.statfs(context, inode)
    }

    fn opendir(
        &self,
        context: &Context,
        inode: Inode,
        flags: u32,
    ) -> io::Result<(Option<Handle>, OpenOptions)> {
        let inode = self.numbers.inode(inode)?;
        let (handle, options) = self.files.opendir(context, inode, flags)?;
        Ok((self.numbers.given_handle(handle), options))
    }

    fn readdir(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        size: u32,
        offset: u64,
        add: &mut dyn FnMut(DirEntry<'_>) -> io::Result<usize>,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files
            .readdir(context, inode, handle, size, offset, add)
    }

    fn readdirplus(
        &self,
        context: &Context,
        inode: Inode,
        handle: Handle,
        size: u32,
        offset: u64,
        add: &mut dyn FnMut(DirEntry<'_>, Entry) -> io::Result<usize>,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        let add = &mut |name: DirEntry<'_>, entry| add(name, self.entry(entry));
        self.files
            .readdirplus(context, inode, handle, size, offset, add)
    }

    fn fsyncdir(
        &self,
        context: &Context,
        inode: Inode,
        data_only: bool,
        handle: Handle,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.fsyncdir(context, inode, data_only, handle)
    }

    fn releasedir(
        &self,
        context: &Context,
        inode: Inode,
        flags: u32,
        handle: Handle,
    ) -> io::Result<()> {
        let inode = self.numbers.inode(inode)?;
        let handle = self.numbers.handle(handle)?;
        self.files.releasedir(context, inode, flags, handle)
    }
}

/// A user without rights is told that the file is not there; who reads that it may not be linked, copies it.
fn no_links(error: io::Error) -> io::Error {
    match Errno::from_io_error(&error) {
        Some(Errno::NOENT) => Errno::PERM.into(),
        _ => error,
    }
}

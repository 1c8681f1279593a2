//! What a guest sees of a shared folder, and may do there.
//!
//! The same wherever the runner runs, as root or as a build user of Nix's, who may do little:
//! - in the guest, everything belongs to root, and a change of owner is granted and does nothing;
//! - on the host, what a guest makes belongs to the runner's user;
//! - there are no devices, no set-user-ID programs and no extended attributes.
//!
//! Host and guests may write to the same folder: whoever opens a file finds what another has done.
//!
//! The file is as long as the trait of a file system is: nearly all of it is one function for each of FUSE's requests.

mod numbers;

use std::cell::Cell;
use std::ffi::CStr;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fuse_backend_rs::abi::fuse_abi::{CreateIn, FsOptions, OpenOptions, stat64, statvfs64};
use fuse_backend_rs::api::filesystem::{
    Context, DirEntry, Entry, FileSystem, SetattrValid, ZeroCopyReader, ZeroCopyWriter,
};
use fuse_backend_rs::passthrough::{CachePolicy, Config, PassthroughFs};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use numbers::Numbers;

type Inode = u64;
type Handle = u64;

/// Bits of a mode that give a program its owner's or group's rights.
const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;

/// How long a guest may take a file's attributes for what they were when it last asked. Whoever names a file asks, so only
/// a file that stays open lags behind; and a request for a name answers the next one, for the attributes, too.
const ATTRIBUTES_VALID: Duration = Duration::from_millis(1);

/// What is asked of the guest's kernel beside what the file system itself asks for.
const OPTIONS: FsOptions = FsOptions::from_bits_truncate(
    FsOptions::ASYNC_READ.bits()
        | FsOptions::ATOMIC_O_TRUNC.bits()
        | FsOptions::BIG_WRITES.bits()
        | FsOptions::MAX_PAGES.bits()
        | FsOptions::PARALLEL_DIROPS.bits()
        // What was read of a file is read again when the file has changed.
        | FsOptions::AUTO_INVAL_DATA.bits(),
);

/// A folder of the host.
pub(crate) struct Folder {
    files: PassthroughFs,
    read_only: bool,
    numbers: Numbers,
    /// What the guest's kernel can do, once it has said so.
    capable: AtomicU64,
}

/// What a guest that goes on from where it was saved has to do with the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FolderState {
    /// What its kernel can do.
    capable: u64,
    /// See [`Numbers`].
    epoch: u16,
}

impl FolderState {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        [&self.capable.to_le_bytes()[..], &self.epoch.to_le_bytes()].concat()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (capable, epoch) = bytes.split_first_chunk()?;
        Some(Self {
            capable: u64::from_le_bytes(*capable),
            epoch: u16::from_le_bytes(epoch.try_into().ok()?),
        })
    }
}

impl Folder {
    /// The folder at `path`, with `read_only` whatever the guest's mount says.
    pub(crate) fn open(path: &Path, read_only: bool) -> io::Result<Self> {
        allow_many_files();
        let root = path.canonicalize()?;
        if !root.is_dir() {
            return Err(Errno::NOTDIR.into());
        }
        let not_text = |_| io::Error::other("its path is not UTF-8");
        let files = PassthroughFs::new(Config {
            root_dir: root.into_os_string().into_string().map_err(not_text)?,
            attr_timeout: ATTRIBUTES_VALID,
            entry_timeout: Duration::ZERO,
            cache_policy: CachePolicy::Auto,
            ..Config::default()
        })?;
        Ok(Self {
            files,
            read_only,
            numbers: Numbers::default(),
            capable: AtomicU64::new(0),
        })
    }

    /// What has to be saved with the guest.
    pub(crate) fn state(&self) -> FolderState {
        FolderState {
            capable: self.capable.load(Ordering::Relaxed),
            epoch: self.numbers.epoch(),
        }
    }

    /// Goes on with a guest that was saved. The files that it had open are not: whoever uses one is told that it is stale;
    /// whoever names one, finds it.
    pub(crate) fn resume(&self, state: FolderState) -> io::Result<()> {
        self.numbers.set_epoch(state.epoch.wrapping_add(1));
        self.begin(FsOptions::from_bits_truncate(state.capable))
            .map(drop)
    }

    fn begin(&self, capable: FsOptions) -> io::Result<FsOptions> {
        self.files.destroy();
        self.capable.store(capable.bits(), Ordering::Relaxed);
        Ok(self.files.init(capable)? | OPTIONS)
    }

    fn entry(&self, mut entry: Entry) -> Entry {
        entry.inode = self.numbers.given_inode(entry.inode);
        Entry {
            attr: of_root(entry.attr),
            ..entry
        }
    }

    fn writable(&self) -> io::Result<()> {
        match self.read_only {
            true => Err(Errno::ROFS.into()),
            false => Ok(()),
        }
    }
}

/// Every file that a guest knows of is open in this process, far more than a process may open by default.
fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, most) {
        tracing::debug!(%error, "the number of open files stays limited");
    }
}

/// Makes this thread one that can serve a folder: with a file mode mask of its own, since the guest has applied its mask
/// already, and the file system clears the mask of whoever calls it.
pub(crate) fn prepare_thread() -> io::Result<()> {
    thread_local! {
        static PREPARED: Cell<bool> = const { Cell::new(false) };
    }
    if !PREPARED.get() {
        leave_process_umask()?;
        PREPARED.set(true);
    }
    Ok(())
}

#[expect(
    unsafe_code,
    reason = "unshare can pull descriptors from under other threads"
)]
fn leave_process_umask() -> io::Result<()> {
    use rustix::thread::{UnshareFlags, unshare_unsafe};
    // SAFETY: the flag concerns the thread's mask, root and current folder, and not its descriptors.
    unsafe { unshare_unsafe(UnshareFlags::FS) }?;
    Ok(())
}

/// Everything belongs to the guest's root.
fn of_root(mut attributes: stat64) -> stat64 {
    attributes.st_uid = 0;
    attributes.st_gid = 0;
    attributes
}

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

#[cfg(test)]
mod tests;

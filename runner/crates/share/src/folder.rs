//! What a guest sees of a shared folder, and may do there.
//!
//! The same wherever the runner runs, as root or as a build user of Nix's, who may do little:
//! - in the guest, everything belongs to root, and a change of owner is granted and does nothing;
//! - on the host, what a guest makes belongs to the runner's user;
//! - there are no devices, no set-user-ID programs and no extended attributes.
//!
//! Host and guests may write to the same folder: whoever opens a file finds what another has done.
//!
//! - `numbers`: what the guest calls files, over its restores;
//! - `process`: what the process and its threads need to serve;
//! - `requests`: what becomes of each of the guest's requests.

mod numbers;
mod process;
mod requests;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fuse_backend_rs::abi::fuse_abi::{FsOptions, stat64};
use fuse_backend_rs::api::filesystem::{Entry, FileSystem};
use fuse_backend_rs::passthrough::{CachePolicy, Config, PassthroughFs};
use rustix::io::Errno;

use numbers::Numbers;
pub(crate) use process::prepare_thread;

type Inode = u64;
type Handle = u64;

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
        process::allow_many_files();
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

/// Everything belongs to the guest's root.
fn of_root(mut attributes: stat64) -> stat64 {
    attributes.st_uid = 0;
    attributes.st_gid = 0;
    attributes
}

#[cfg(test)]
mod tests;

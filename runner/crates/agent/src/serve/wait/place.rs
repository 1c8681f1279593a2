//! Watching for something to appear at a path.
//!
//! Every directory on the way is watched for the next part of the path, and the guest's mounts are. Not everything that
//! makes a path appear is told that way: not what the host puts into a shared folder, nor the files of /proc and /sys, nor
//! the target of a symbolic link. So a rest has an end, and there is another look.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::fs::statfs;

use crate::serve::task::{Stopped, Task};

/// How long a rest is where everything is told but what a link leads to.
const TOLD: Duration = Duration::from_millis(250);

/// How long a rest is where not everything is told.
const UNTOLD: Duration = Duration::from_millis(20);

/// Whose changes are always this kernel's own, by the numbers in `statfs(2)`: btrfs, EROFS, ext2 to ext4, overlayfs, tmpfs,
/// XFS.
const LOCAL: [u64; 6] = [
    0x9123_683e,
    0xe0f5_e1e2,
    0xef53,
    0x794c_7630,
    0x0102_1994,
    0x5846_5342,
];

/// Told to whoever polls it when something is mounted: `proc(5)`.
const MOUNTS: &str = "/proc/self/mountinfo";

/// What makes a name appear in a directory, or the directory another one.
const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Where something may appear.
#[derive(Debug)]
pub(super) struct Place {
    path: PathBuf,
    /// Whether whatever appears in the directory at the path counts, and not the path itself.
    inside: bool,
    /// None where the guest has no room for it: then nothing is told.
    notify: Option<OwnedFd>,
    mounts: Option<File>,
    /// How long a rest is.
    pause: Duration,
    /// The name that counts in each directory that is watched; none: all.
    wanted: HashMap<i32, Option<OsString>>,
}

impl Place {
    /// For what appears at a path.
    pub(super) fn at(path: &Path) -> Self {
        Self::new(path, false)
    }

    /// For what appears in a directory.
    pub(super) fn inside(directory: &Path) -> Self {
        Self::new(directory, true)
    }

    fn new(path: &Path, inside: bool) -> Self {
        Self {
            path: path.to_owned(),
            inside,
            notify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok(),
            mounts: File::open(MOUNTS).ok(),
            pause: UNTOLD,
            wanted: HashMap::new(),
        }
    }

    /// Watches every directory on the way that is there. Called before a look: what happens after it is told.
    pub(super) fn watch(&mut self) {
        let Some(notify) = &self.notify else { return };
        let mut directory = PathBuf::from("/");
        let parts = self
            .path
            .components()
            .skip(1)
            .map(|part| Some(part.as_os_str()));
        for name in parts.chain(self.inside.then_some(None)) {
            if !add(notify, &directory, name, &mut self.wanted) {
                directory.pop();
                break;
            }
            directory.extend(name);
        }
        self.pause = match statfs(&directory)
            .or_else(|_| statfs(directory.parent().unwrap_or(&directory)))
        {
            Ok(filesystem) if LOCAL.contains(&filesystem.f_type.cast_unsigned()) => TOLD,
            _ => UNTOLD,
        };
    }

    /// Waits for something to happen on the way.
    pub(super) fn rest(&self, task: &Task) -> Result<(), Stopped> {
        self.rest_at_most(task, self.pause)
    }

    /// The same, for another time.
    pub(super) fn rest_at_most(&self, task: &Task, limit: Duration) -> Result<(), Stopped> {
        let Some(notify) = &self.notify else {
            return task.sleep(limit);
        };
        let mut told = vec![PollFd::from_borrowed_fd(notify.as_fd(), PollFlags::IN)];
        told.extend(
            self.mounts
                .as_ref()
                .map(|mounts| PollFd::new(mounts, PollFlags::PRI)),
        );
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let ready = task.poll(&told, Some(left))?;
            let by_mount = ready.get(1) == Some(&true);
            if by_mount || !ready[0] || has_counted(notify, &self.wanted) {
                return Ok(());
            }
        }
    }
}

/// Takes all events, and says whether one of them counts.
fn has_counted(notify: &OwnedFd, wanted: &HashMap<i32, Option<OsString>>) -> bool {
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut reader = inotify::Reader::new(notify, &mut buffer);
    let of_directory = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::QUEUE_OVERFLOW;
    let mut counts = false;
    while let Ok(event) = reader.next() {
        let name = event
            .file_name()
            .map(|name| OsStr::from_bytes(name.to_bytes()));
        counts |= event.events().intersects(of_directory)
            || match (wanted.get(&event.wd()), name) {
                (Some(Some(wanted)), Some(name)) => wanted == name,
                (Some(None), Some(_)) => true,
                _ => false,
            };
    }
    counts
}

/// Watches a directory, again or for the first time; says whether it is there.
fn add(
    notify: &OwnedFd,
    directory: &Path,
    name: Option<&OsStr>,
    wanted: &mut HashMap<i32, Option<OsString>>,
) -> bool {
    match inotify::add_watch(notify, directory, EVENTS) {
        Ok(watch) => {
            wanted.insert(watch, name.map(OsStr::to_owned));
            true
        }
        Err(error) => {
            let error = io::Error::from(error);
            !matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            )
        }
    }
}

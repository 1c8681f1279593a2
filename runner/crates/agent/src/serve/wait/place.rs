//! Watching for something to appear at a path.
//!
//! Every directory on the way is watched for the next part of the path. Not everything that makes a path appear is told
//! that way: a mount, the target of a symbolic link, what the host puts into a shared folder, the files of /proc and
//! /sys. So whoever rests here rests for a limited time, and looks again.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};

use crate::serve::task::{Stopped, Task};

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
            wanted: HashMap::new(),
        }
    }

    /// Watches every directory on the way that is there. Called before a look: what happens after it is told.
    pub(super) fn watch(&mut self) {
        let Some(notify) = &self.notify else { return };
        let mut directory = PathBuf::from("/");
        for part in self.path.components().skip(1) {
            if !add(notify, &directory, Some(part.as_os_str()), &mut self.wanted) {
                return;
            }
            directory.push(part);
        }
        if self.inside {
            add(notify, &directory, None, &mut self.wanted);
        }
    }

    /// Waits for something to happen on the way, at most `limit`.
    pub(super) fn rest(&self, task: &Task, limit: Duration) -> Result<(), Stopped> {
        let Some(notify) = &self.notify else {
            return task.sleep(limit);
        };
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let told = task.wait_for(notify.as_fd(), PollFlags::IN, Some(left))?;
            if !told || has_counted(notify, &self.wanted) {
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

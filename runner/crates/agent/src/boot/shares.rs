//! Folders of the host, mounted in the guest's root.

use std::fs;
use std::path::Path;

use rustix::fs::{FsWord, statfs};
use rustix::mount::{MountFlags, UnmountFlags, unmount};
use vmtest_protocol::boot::Share;

use super::root::{RootError, make_dir, mount_on};
use crate::kmsg::{Level, note};

const FSTYPE: &str = "virtiofs";

/// The kind of file system that statfs(2) reports for it.
const FUSE_SUPER_MAGIC: FsWord = 0x6573_5546;

/// Below this, which lies in [`MOUNTS_DIR`](vmtest_protocol::boot::MOUNTS_DIR), is what has to wait for the guest's own `/tmp`.
const LATE: &str = "/run/vmtest/late";

/// Mounts a folder of the host in the guest's root, or, where the guest often mounts something over, beside it.
///
/// # Errors
/// When there is no such device, or no place for it.
pub(super) fn attach(share: &Share) -> Result<(), RootError> {
    if share.target.starts_with("/tmp/") {
        attach_at(share, &format!("{LATE}{}", share.target))
    } else {
        attach_at(share, &share.target)
    }
}

fn attach_at(share: &Share, target: &str) -> Result<(), RootError> {
    let target = Path::new(target);
    let flags = match share.read_only {
        true => MountFlags::RDONLY,
        false => MountFlags::empty(),
    };
    make_dir(target)?;
    mount_on(&share.tag, target, FSTYPE, flags, "")
}

/// Mounts what had to wait, and once more what the guest has since mounted something over. The guest is up.
pub(crate) fn complete() {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for share in mounts.lines().filter_map(parse) {
        let attached = match share.target.strip_prefix(LATE) {
            Some(target) => attach_at(&share, target).map(|()| {
                let _ = unmount(Path::new(&share.target), UnmountFlags::DETACH);
            }),
            None if is_visible(&share) => Ok(()),
            None => attach_at(&share, &share.target),
        };
        if let Err(error) = attached {
            note(Level::Warning, &error.to_string());
        }
    }
}

fn is_visible(share: &Share) -> bool {
    statfs(Path::new(&share.target)).is_ok_and(|seen| seen.f_type == FUSE_SUPER_MAGIC)
}

/// The shared folder that a line of the kernel's table of mounts is of. The format: proc_pid_mountinfo(5).
fn parse(line: &str) -> Option<Share> {
    let mut words = line.split(' ').skip(4);
    let (target, options) = (words.next()?, words.next()?);
    let mut source = words.skip_while(|word| *word != "-").skip(1);
    if source.next()? != FSTYPE {
        return None;
    }
    Some(Share {
        tag: source.next()?.to_owned(),
        target: target.to_owned(),
        read_only: options.starts_with("ro"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "45 28 0:37 / /tmp/shared ro,relatime shared:19 - virtiofs shared rw";

    #[test]
    fn shared_folders_are_found_among_mounts() {
        let share = Share {
            tag: "shared".into(),
            target: "/tmp/shared".into(),
            read_only: true,
        };
        assert_eq!(parse(LINE), Some(share));
        let writable = parse("45 28 0:37 / /mnt rw,relatime - virtiofs keys rw");
        assert!(writable.is_some_and(|share| !share.read_only && share.tag == "keys"));
        let root = "28 1 0:25 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/run";
        assert_eq!(parse(root), None);
        assert_eq!(parse("nothing"), None);
    }

    #[test]
    fn what_is_no_shared_folder_does_not_stand_for_one() {
        let share = parse(LINE).expect("a shared folder");
        assert!(!is_visible(&share));
        let target = "/".to_owned();
        assert!(!is_visible(&Share { target, ..share }));
    }
}

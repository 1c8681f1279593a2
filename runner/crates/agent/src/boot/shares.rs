//! Folders of the host, mounted in the guest's root.

use std::fs;
use std::path::Path;

use rustix::fs::{FsWord, statfs};
use rustix::mount::MountFlags;
use vmtest_protocol::boot::Share;

use super::root::{RootError, make_dir, mount_on};
use crate::kmsg::{Level, note};

const FSTYPE: &str = "virtiofs";

/// The kind of file system that statfs(2) reports for it.
const FUSE_SUPER_MAGIC: FsWord = 0x6573_5546;

/// Mounts a folder of the host, in the root that this process has.
///
/// # Errors
/// When there is no such device, or no place for it.
pub(super) fn attach(share: &Share) -> Result<(), RootError> {
    let target = Path::new(&share.target);
    let flags = match share.read_only {
        true => MountFlags::RDONLY,
        false => MountFlags::empty(),
    };
    make_dir(target)?;
    mount_on(&share.tag, target, FSTYPE, flags, "")
}

/// Mounts anew what the guest has since mounted something over, as its own `/tmp` over a folder in the root's `/tmp`.
pub(crate) fn uncover() {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    for share in mounts.lines().filter_map(hidden) {
        if let Err(error) = attach(&share) {
            note(Level::Warning, &error.to_string());
        }
    }
}

/// The shared folder that a line of the kernel's table of mounts stands for, if it cannot be seen at its place.
fn hidden(line: &str) -> Option<Share> {
    let share = parse(line)?;
    let seen = statfs(Path::new(&share.target)).is_ok_and(|seen| seen.f_type == FUSE_SUPER_MAGIC);
    (!seen).then_some(share)
}

/// The folder, if the line is of one. The format: proc_pid_mountinfo(5).
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
    fn what_cannot_be_seen_is_hidden() {
        assert!(hidden(LINE).is_some());
        // What is there is no shared folder.
        assert!(hidden(&LINE.replace("/tmp/shared", "/")).is_some());
    }
}

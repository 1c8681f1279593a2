//! The guest's root: a read-only image below a writable layer.
//!
//! Image and layer are mounted below [`MOUNTS_DIR`], in the `/run` that moves along into the guest.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_move};
use thiserror::Error;
use vmtest_protocol::boot::{MOUNTS_DIR, Names};

const SYSROOT: &str = "/sysroot";

/// What moves along into the guest's root.
const KERNEL_MOUNTS: [&str; 4] = ["dev", "proc", "sys", "run"];

/// Why there is no root.
#[derive(Debug, Error)]
pub(super) enum RootError {
    #[error("cannot mount {what} on {}: {source}", target.display())]
    Mount {
        what: String,
        target: PathBuf,
        source: Errno,
    },
    #[error("cannot {action} {}: {source}", path.display())]
    Path {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot enter the guest's root: {0}")]
    Enter(#[source] Errno),
}

/// Mounts what the kernel has to show, and `/run`.
pub(super) fn mount_basics() -> Result<(), RootError> {
    let plain = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
    let run = MountFlags::NOSUID | MountFlags::NODEV;
    for (fstype, target, flags, data) in [
        ("devtmpfs", "/dev", MountFlags::NOSUID, "mode=0755"),
        ("proc", "/proc", plain, ""),
        ("sysfs", "/sys", plain, ""),
        ("tmpfs", "/run", run, "mode=0755,size=20%,nr_inodes=800k"),
    ] {
        make_dir(Path::new(target))?;
        mount_on(fstype, Path::new(target), fstype, flags, data)?;
    }
    Ok(())
}

/// Mounts the root: `image` (EROFS) below the file system on `persistent` (ext4), or below one that is lost.
pub(super) fn assemble(image: &Path, persistent: Option<&Path>) -> Result<(), RootError> {
    let lower = Path::new(MOUNTS_DIR).join("image");
    let layer = Path::new(MOUNTS_DIR).join("layer");
    for target in [&lower, &layer, Path::new(SYSROOT)] {
        make_dir(target)?;
    }
    mount_on(
        &image.to_string_lossy(),
        &lower,
        "erofs",
        MountFlags::RDONLY,
        "",
    )?;
    match persistent {
        Some(disk) => mount_on(
            &disk.to_string_lossy(),
            &layer,
            "ext4",
            MountFlags::empty(),
            "",
        )?,
        None => mount_on("tmpfs", &layer, "tmpfs", MountFlags::empty(), "mode=0755")?,
    }
    let (upper, work) = (layer.join("upper"), layer.join("work"));
    make_dir(&work)?;
    if !upper.exists() {
        make_dir(&upper)?;
        copy_owner(&lower, &upper).map_err(path_error("set the owner of", &upper))?;
    }
    let layers = format!(
        "lowerdir={},upperdir={},workdir={}",
        lower.display(),
        upper.display(),
        work.display()
    );
    // Folders of the image can then be renamed, as on any other file system.
    let data = format!("{layers},redirect_dir=on");
    mount_on(
        "overlay",
        Path::new(SYSROOT),
        "overlay",
        MountFlags::empty(),
        &data,
    )
}

/// The merged root's folder is the upper one: it gets what the image's has.
fn copy_owner(from: &Path, to: &Path) -> io::Result<()> {
    let metadata = fs::metadata(from)?;
    chown(to, Some(metadata.uid()), Some(metadata.gid()))?;
    fs::set_permissions(to, Permissions::from_mode(metadata.mode()))
}

/// Writes `/etc/hostname` and `/etc/hosts` in place of the guest's.
pub(super) fn write_names(names: &Names) -> Result<(), RootError> {
    let etc = Path::new(SYSROOT).join("etc");
    make_dir(&etc)?;
    for (name, text) in [
        ("hostname", format!("{}\n", names.host_name)),
        ("hosts", names.hosts_file.clone()),
    ] {
        // Not through a symbolic link: its target may be anywhere.
        let (path, new) = (etc.join(name), etc.join(format!(".{name}.vmtest")));
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &path))
            .map_err(path_error("write", &path))?;
    }
    Ok(())
}

/// Makes the guest's root this process's root, and frees the initrd's memory.
pub(super) fn switch() -> Result<(), RootError> {
    for name in KERNEL_MOUNTS {
        let (from, to) = (Path::new("/").join(name), Path::new(SYSROOT).join(name));
        make_dir(&to)?;
        mount_move(&from, &to).map_err(mount_error(name, &to))?;
    }
    let initrd = fs::metadata("/").map_err(path_error("look at", Path::new("/")))?;
    free(Path::new("/"), initrd.dev());
    std::env::set_current_dir(SYSROOT).map_err(path_error("enter", Path::new(SYSROOT)))?;
    mount_move(".", "/").map_err(mount_error("the guest's root", Path::new("/")))?;
    rustix::process::chroot(".").map_err(RootError::Enter)?;
    std::env::set_current_dir("/").map_err(path_error("enter", Path::new("/")))
}

/// Removes what lies on `device` below a folder; what cannot be removed only costs memory.
fn free(folder: &Path, device: u64) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.dev() != device => {}
            Ok(metadata) if metadata.is_dir() => {
                free(&entry.path(), device);
                let _ = fs::remove_dir(entry.path());
            }
            _ => {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

pub(super) fn make_dir(path: &Path) -> Result<(), RootError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    made.map_err(path_error("make", path))
}

pub(super) fn mount_on(
    what: &str,
    target: &Path,
    fstype: &str,
    flags: MountFlags,
    data: &str,
) -> Result<(), RootError> {
    let data = std::ffi::CString::new(data).unwrap_or_default();
    mount(what, target, fstype, flags, Some(data.as_c_str())).map_err(mount_error(what, target))
}

fn mount_error(what: &str, target: &Path) -> impl FnOnce(Errno) -> RootError {
    move |source| RootError::Mount {
        what: what.into(),
        target: target.into(),
        source,
    }
}

fn path_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> RootError {
    move |source| RootError::Path {
        action,
        path: path.into(),
        source,
    }
}

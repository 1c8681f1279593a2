//! The guest's root: a read-only image below a writable layer, or a file system with such a store in it.
//!
//! A root image and its layer are mounted below [`MOUNTS_DIR`], in the `/run` that moves along into the guest.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_move};
use thiserror::Error;
use vmtest_protocol::boot::{Image, MOUNTS_DIR, Names};

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

/// Mounts the root: the disk `persistent` (ext4), or what is lost in its place, takes what is written.
pub(super) fn assemble(
    kind: Image,
    image: &Path,
    persistent: Option<&Path>,
) -> Result<(), RootError> {
    match kind {
        Image::Root => assemble_layers(image, persistent),
        Image::Store => assemble_store(image, persistent),
    }
}

/// A root image (EROFS) below a writable layer.
fn assemble_layers(image: &Path, persistent: Option<&Path>) -> Result<(), RootError> {
    let lower = Path::new(MOUNTS_DIR).join("image");
    let layer = Path::new(MOUNTS_DIR).join("layer");
    mount_image(image, &lower)?;
    mount_writable(persistent, &layer)?;
    mount_layers(&lower, &layer, Path::new(SYSROOT))
}

/// A store image (EROFS) below a layer that is lost, in a root that is the writable file system itself: where NixOS has them.
fn assemble_store(image: &Path, persistent: Option<&Path>) -> Result<(), RootError> {
    let root = Path::new(SYSROOT);
    mount_writable(persistent, root)?;
    let lower = root.join("nix/.ro-store");
    let layer = root.join("nix/.rw-store");
    mount_image(image, &lower)?;
    mount_writable(None, &layer)?;
    mount_layers(&lower, &layer, &root.join("nix/store"))
}

fn mount_image(image: &Path, target: &Path) -> Result<(), RootError> {
    make_dir(target)?;
    let image = image.to_string_lossy();
    mount_on(&image, target, "erofs", MountFlags::RDONLY, "")
}

fn mount_writable(disk: Option<&Path>, target: &Path) -> Result<(), RootError> {
    make_dir(target)?;
    let flags = MountFlags::empty();
    match disk {
        Some(disk) => mount_on(&disk.to_string_lossy(), target, "ext4", flags, ""),
        None => mount_on("tmpfs", target, "tmpfs", flags, "mode=0755"),
    }
}

/// Mounts what `layer` holds over what `lower` does.
fn mount_layers(lower: &Path, layer: &Path, target: &Path) -> Result<(), RootError> {
    let (upper, work) = (layer.join("upper"), layer.join("work"));
    for folder in [&work, target] {
        make_dir(folder)?;
    }
    if !upper.exists() {
        make_dir(&upper)?;
        copy_owner(lower, &upper).map_err(path_error("set the owner of", &upper))?;
    }
    // Folders of the image can then be renamed, as on any other file system.
    let data = format!(
        "lowerdir={},upperdir={},workdir={},redirect_dir=on",
        lower.display(),
        upper.display(),
        work.display()
    );
    mount_on("overlay", target, "overlay", MountFlags::empty(), &data)
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

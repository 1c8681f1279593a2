use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use fuse_backend_rs::abi::fuse_abi::{CreateIn, ROOT_ID};
use fuse_backend_rs::api::filesystem::{Context, SetattrValid};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tempfile::TempDir;

use super::*;

/// What a guest's ordinary user is.
const SOMEBODY: (u32, u32) = (1000, 100);

/// A guest that has mounted a folder.
struct Guest {
    folder: Folder,
    host: TempDir,
    context: Context,
}

impl Guest {
    fn mount(read_only: bool) -> Self {
        let host = tempfile::tempdir().expect("folder");
        fs::write(host.path().join("file"), "content").expect("written");
        prepare_thread().expect("prepared");
        let folder = Folder::open(host.path(), read_only).expect("opened");
        folder.init(FsOptions::all()).expect("mounted");
        let mut context = Context::default();
        (context.uid, context.gid) = SOMEBODY;
        folder.id_remap(&mut context).expect("mapped");
        Self {
            folder,
            host,
            context,
        }
    }

    fn lookup(&self, name: &str) -> io::Result<Entry> {
        self.folder.lookup(&self.context, ROOT_ID, &c(name))
    }

    fn create(&self, name: &str, mode: u32) -> io::Result<Entry> {
        let how = CreateIn {
            flags: libc::O_RDWR.cast_unsigned(),
            mode,
            umask: 0,
            fuse_flags: 0,
        };
        let made = self.folder.create(&self.context, ROOT_ID, &c(name), how);
        made.map(|(entry, ..)| entry)
    }

    fn open(&self, inode: Inode, flags: i32) -> io::Result<Handle> {
        let flags = flags.cast_unsigned();
        let (handle, ..) = self.folder.open(&self.context, inode, flags, 0)?;
        Ok(handle.expect("a file has a handle"))
    }

    fn set(&self, inode: Inode, attributes: stat64, which: SetattrValid) -> io::Result<stat64> {
        let set = self
            .folder
            .setattr(&self.context, inode, attributes, None, which);
        set.map(|(attributes, _)| attributes)
    }
}

fn c(name: &str) -> CString {
    CString::new(name).expect("no NUL")
}

fn errno<T>(result: io::Result<T>) -> Option<Errno> {
    Errno::from_io_error(&result.err()?)
}

#[test]
fn everything_belongs_to_the_guests_root() {
    let guest = Guest::mount(false);
    for entry in [guest.lookup("file"), guest.create("new", 0o600)] {
        let attributes = entry.expect("there").attr;
        assert_eq!((attributes.st_uid, attributes.st_gid), (0, 0));
    }
    let host = guest.host.path();
    let (made, own) = (host.join("new").metadata(), host.metadata());
    assert_eq!(made.expect("there").uid(), own.expect("there").uid());
}

#[test]
fn a_change_of_owner_is_granted_and_does_nothing() {
    let guest = Guest::mount(false);
    let entry = guest.lookup("file").expect("there");
    let before = guest.host.path().join("file").metadata().expect("there");
    let mut attributes = entry.attr;
    (attributes.st_uid, attributes.st_gid) = SOMEBODY;
    let which = SetattrValid::UID | SetattrValid::GID;
    let set = guest.set(entry.inode, attributes, which).expect("granted");
    assert_eq!((set.st_uid, set.st_gid), (0, 0));
    let after = guest.host.path().join("file").metadata().expect("there");
    assert_eq!((before.uid(), before.gid()), (after.uid(), after.gid()));
}

#[test]
fn modes_are_the_guests_and_the_process_keeps_its_mask() {
    let mask = || {
        let status = fs::read_to_string("/proc/self/status").expect("readable");
        let line = status.lines().find(|line| line.starts_with("Umask:"));
        line.expect("there is one").to_owned()
    };
    let before = mask();
    let guest = Guest::mount(false);
    guest.create("open", 0o666).expect("made");
    guest.create("program", 0o6755).expect("made");
    let mode = |name: &str| {
        let metadata = guest.host.path().join(name).metadata().expect("there");
        metadata.permissions().mode() & 0o7777
    };
    assert_eq!(mode("open"), 0o666);
    assert_eq!(mode("program"), 0o755);

    let entry = guest.lookup("program").expect("there");
    let mut attributes = entry.attr;
    attributes.st_mode = 0o4711;
    guest
        .set(entry.inode, attributes, SetattrValid::MODE)
        .expect("set");
    assert_eq!(mode("program"), 0o711);
    assert_eq!(mask(), before);
}

#[test]
fn nothing_outside_the_folder_can_be_named() {
    let guest = Guest::mount(false);
    let up = guest.lookup("..").expect("the root has a parent: itself");
    assert_eq!(up.inode, ROOT_ID);
    for name in ["../file", "/etc/passwd", "a/../.."] {
        assert_eq!(errno(guest.lookup(name)), Some(Errno::INVAL), "{name}");
        assert_eq!(
            errno(guest.create(name, 0o600)),
            Some(Errno::INVAL),
            "{name}"
        );
    }
    assert_eq!(errno(guest.create("..", 0o600)), Some(Errno::INVAL));
}

#[test]
fn links_are_for_the_guest_to_follow() {
    let guest = Guest::mount(false);
    let made = guest
        .folder
        .symlink(&guest.context, c"/etc/passwd", ROOT_ID, c"link");
    let link = made.expect("made");
    assert_eq!(link.attr.st_mode & libc::S_IFMT, libc::S_IFLNK);
    let target = guest.folder.readlink(&guest.context, link.inode);
    assert_eq!(target.expect("a link"), b"/etc/passwd");
    assert_eq!(
        errno(guest.open(link.inode, libc::O_RDONLY)),
        Some(Errno::BADF)
    );
    // A folder behind a link is none.
    std::os::unix::fs::symlink("/etc", guest.host.path().join("etc")).expect("made");
    let etc = guest.lookup("etc").expect("there").inode;
    let inside = guest.folder.lookup(&guest.context, etc, c"passwd");
    assert_eq!(errno(inside), Some(Errno::NOTDIR));
}

#[test]
fn there_are_no_devices() {
    let guest = Guest::mount(false);
    for kind in [libc::S_IFBLK, libc::S_IFCHR] {
        let made = guest
            .folder
            .mknod(&guest.context, ROOT_ID, c"device", kind | 0o600, 0x101, 0);
        assert_eq!(errno(made), Some(Errno::PERM));
    }
    let fifo = libc::S_IFIFO | 0o600;
    let made = guest
        .folder
        .mknod(&guest.context, ROOT_ID, c"fifo", fifo, 0, 0);
    made.expect("a pipe is none");
}

#[test]
fn what_is_read_only_stays_as_it_is() {
    let guest = Guest::mount(true);
    let (folder, context) = (&guest.folder, &guest.context);
    let file = guest.lookup("file").expect("there");
    let attempts = [
        ("create", errno(guest.create("new", 0o600))),
        ("write", errno(guest.open(file.inode, libc::O_WRONLY))),
        (
            "truncate",
            errno(guest.open(file.inode, libc::O_RDONLY | libc::O_TRUNC)),
        ),
        (
            "chmod",
            errno(guest.set(file.inode, file.attr, SetattrValid::MODE)),
        ),
        (
            "mkdir",
            errno(folder.mkdir(context, ROOT_ID, c"new", 0o755, 0)),
        ),
        (
            "mknod",
            errno(folder.mknod(context, ROOT_ID, c"new", libc::S_IFIFO, 0, 0)),
        ),
        (
            "symlink",
            errno(folder.symlink(context, c"x", ROOT_ID, c"new")),
        ),
        (
            "link",
            errno(folder.link(context, file.inode, ROOT_ID, c"new")),
        ),
        (
            "rename",
            errno(folder.rename(context, ROOT_ID, c"file", ROOT_ID, c"new", 0)),
        ),
        ("unlink", errno(folder.unlink(context, ROOT_ID, c"file"))),
        ("rmdir", errno(folder.rmdir(context, ROOT_ID, c"file"))),
    ];
    for (what, error) in attempts {
        assert_eq!(error, Some(Errno::ROFS), "{what}");
    }
    guest.open(file.inode, libc::O_RDONLY).expect("readable");
    let names: Vec<_> = fs::read_dir(guest.host.path())
        .expect("readable")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(names, ["file"]);
}

#[test]
fn a_new_boot_knows_nothing_of_the_last_ones_files() {
    let guest = Guest::mount(false);
    let file = guest.lookup("file").expect("there").inode;
    let handle = guest.open(file, libc::O_RDONLY).expect("opened");
    guest.folder.init(FsOptions::all()).expect("mounted again");
    let seen = guest.folder.getattr(&guest.context, file, None);
    assert_eq!(errno(seen), Some(Errno::BADF));
    let same = guest.lookup("file").expect("there").inode;
    let seen = guest.folder.flush(&guest.context, same, handle, 0);
    assert_eq!(errno(seen), Some(Errno::BADF));
}

#[test]
fn a_guest_may_know_of_many_files() {
    let few = Rlimit {
        current: Some(128),
        ..getrlimit(Resource::Nofile)
    };
    setrlimit(Resource::Nofile, few).expect("fewer are always allowed");
    let guest = Guest::mount(false);
    for index in 0..512 {
        let name = index.to_string();
        fs::write(guest.host.path().join(&name), "").expect("written");
        guest.lookup(&name).expect("there");
    }
}

#[test]
fn a_file_is_no_folder() {
    let file = tempfile::NamedTempFile::new().expect("file");
    let error = Folder::open(file.path(), false).err().expect("refused");
    assert_eq!(Errno::from_io_error(&error), Some(Errno::NOTDIR));
}

/// A guest goes on from where it was saved, with a server that has not given it what it knows.
#[test]
fn what_a_saved_guest_had_open_is_stale_and_found_by_its_name() {
    let mut guest = Guest::mount(false);
    let before = guest.lookup("file").expect("there").inode;
    let handle = guest.open(before, libc::O_RDONLY).expect("opened");
    let bytes = guest.folder.state().to_bytes();
    for _ in 0..2 {
        // It may go back to the same state more than once.
        guest.folder = Folder::open(guest.host.path(), false).expect("opened");
        let state = FolderState::from_bytes(&bytes).expect("readable");
        guest.folder.resume(state).expect("resumed");
        let stale = |result: io::Result<()>| {
            let error = result.expect_err("stale");
            assert_eq!(Errno::from_io_error(&error), Some(Errno::STALE));
        };
        stale(guest.open(before, libc::O_RDONLY).map(drop));
        let (context, folder) = (&guest.context, &guest.folder);
        stale(folder.getattr(context, before, Some(handle)).map(drop));
        // As the kernel does with what it does not need any more.
        folder.forget(context, before, 1);
        let now = guest.lookup("file").expect("there").inode;
        assert_ne!(now, before);
        guest.open(now, libc::O_RDONLY).expect("opened");
        guest.create("new", 0o644).expect("made");
        fs::remove_file(guest.host.path().join("new")).expect("removed");
    }
    assert_eq!(FolderState::from_bytes(&bytes[1..]), None);
}

//! Folders of the host that machines see.
//!
//! Each is a virtio-fs device of the machine's QEMU, which hands the device's queues over by the vhost-user protocol;
//! the requests in them (FUSE) are answered by threads of this process. They end when QEMU closes the connection.
//!
//! ```text
//!  guest ──▶ virtio queues in shared memory ──▶ device ──▶ folder ──▶ the host's files
//!  QEMU  ──▶ socket: where the queues are ──────┘
//! ```
//!
//! - [`serve`]: a folder to one QEMU;
//! - `device`: the queues;
//! - `folder`: what a guest sees of a folder, and may do there.
//!
//! A guest cannot leave a shared folder: it names files by numbers it was given or by a name in a folder it was given,
//! and the host follows none of its symbolic links.

mod device;
mod folder;

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use thiserror::Error;
use vhost::vhost_user::{Error as VhostError, Listener};
use vhost_user_backend::{Error as BackendError, VhostUserDaemon};
use vm_memory::{GuestMemoryAtomic, GuestMemoryMmap};

use device::Device;
use folder::Folder;

/// Slots of the device's queues. A request has a slot for each page of its data: with fewer, requests are smaller.
pub const QUEUE_SIZE: u16 = 1024;

/// The longest name that a virtio-fs device can have, in bytes.
pub const LONGEST_TAG: usize = 36;

/// The file in `scratch` that a connection goes through, for a moment.
const SOCKET: &str = "share.sock";

/// Why a folder cannot be shared.
#[derive(Debug, Error)]
#[error("cannot share {}: {source}", folder.display())]
pub struct ShareError {
    /// The folder.
    folder: PathBuf,
    /// Why.
    source: io::Error,
}

/// Serves `source` to one QEMU, whose end of the connection (vhost-user) is returned. With `read_only`, whatever the
/// guest's mount says.
///
/// `scratch` is a folder that nobody else writes to while this runs.
///
/// # Errors
/// When the folder cannot be opened, or the connection cannot be made.
pub fn serve(source: &Path, read_only: bool, scratch: &Path) -> Result<UnixStream, ShareError> {
    try_serve(source, read_only, scratch).map_err(|error| ShareError {
        folder: source.to_owned(),
        source: error,
    })
}

fn try_serve(source: &Path, read_only: bool, scratch: &Path) -> io::Result<UnixStream> {
    let folder = Folder::open(source, read_only)?;
    let device = Arc::new(Device::new(folder)?);
    let memory = GuestMemoryAtomic::new(GuestMemoryMmap::new());
    let other = |error: BackendError| io::Error::other(error.to_string());
    let mut daemon =
        VhostUserDaemon::new("share".to_owned(), Arc::clone(&device), memory).map_err(other)?;
    let (theirs, mut listener) = connect(scratch)?;
    daemon.start(&mut listener).map_err(other)?;
    let source = source.to_owned();
    thread::Builder::new()
        .name("share end".to_owned())
        .spawn(move || {
            match daemon.wait() {
            Ok(())
            // QEMU was killed, perhaps in the middle of a message.
            | Err(BackendError::HandleRequest(
                VhostError::Disconnected | VhostError::PartialMessage,
            )) => {}
            Err(error) => {
                tracing::warn!(folder = %source.display(), %error, "the folder is no longer shared");
            }
            }
            drop(daemon);
            device.close_left_open();
        })?;
    Ok(theirs)
}

/// A connection that waits to be accepted: the daemon takes no socket but one that it has accepted itself.
fn connect(scratch: &Path) -> io::Result<(UnixStream, Listener)> {
    let directory = std::fs::File::open(scratch)?;
    // The address of a socket is short, and the path of a folder may be long.
    let address = format!("/proc/self/fd/{}/{SOCKET}", directory.as_raw_fd());
    let listener = UnixListener::bind(&address)?;
    let theirs = UnixStream::connect(&address);
    std::fs::remove_file(scratch.join(SOCKET))?;
    Ok((theirs?, Listener::from(listener)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let scratch = tempfile::tempdir().expect("scratch");
        let error = serve(Path::new("/nowhere"), false, scratch.path()).expect_err("no folder");
        let expected = "cannot share /nowhere: No such file or directory (os error 2)";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn nothing_is_left_of_a_connection() {
        // Longer than the address of a socket may be.
        let outer = tempfile::tempdir().expect("scratch");
        let scratch = outer.path().join("long".repeat(30));
        std::fs::create_dir(&scratch).expect("folder");
        for _ in 0..2 {
            serve(outer.path(), true, &scratch).expect("served");
        }
        let left = std::fs::read_dir(&scratch).expect("readable").count();
        assert_eq!(left, 0);
    }
}

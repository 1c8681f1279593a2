//! What the process and its threads need to serve folders.

use std::cell::Cell;
use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Every file that a guest knows of is open in this process, far more than a process may open by default.
pub(super) fn allow_many_files() {
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

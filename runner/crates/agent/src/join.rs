//! From a shell's hand to the agent that stays, in a guest that something else has booted.
//!
//! A root shell has put this program into a file and started it, with the agent's port as standard input. What the agent
//! has of that shell it must not keep: the shell's service ends before the guest does.

use std::fs;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::ExitCode;

use crate::kmsg::{Level, note};
use crate::serve;

/// Where a process says that it belongs to the control group of the guest's first process: unified hierarchy, and
/// systemd's own.
const ROOT_GROUPS: [&str; 2] = [
    "/sys/fs/cgroup/cgroup.procs",
    "/sys/fs/cgroup/systemd/cgroup.procs",
];

/// What is there in an initrd with systemd, and nowhere else.
const INITRD: &str = "/etc/initrd-release";

/// Leaves an agent that stays, and no trace of how it came.
#[must_use]
pub fn join() -> ExitCode {
    match try_join() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(Level::Critical, &format!("the agent cannot join: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn try_join() -> io::Result<()> {
    let port = io::stdin().as_fd().try_clone_to_owned()?;
    let port = fs::File::from(port);
    if !port.metadata()?.file_type().is_char_device() {
        return Err(io::Error::other("its standard input is no port"));
    }
    let stays = !Path::new(INITRD).exists();
    if stays {
        leave_group();
    }
    std::env::set_current_dir("/")?;
    let program = std::env::current_exe()?;
    if stays {
        serve::start(port.into())?;
    } else {
        // It ends with the initrd: another shell, of the system, takes another agent in.
        serve::start_briefly(port.into())?;
    }
    fs::remove_file(program)
}

/// A service that stops ends all that is in its group, and waits for it.
fn leave_group() {
    for group in ROOT_GROUPS
        .into_iter()
        .filter(|path| Path::new(path).exists())
    {
        if let Err(error) = fs::write(group, "0") {
            note(Level::Warning, &format!("cannot write {group}: {error}"));
        }
    }
}

//! In an initrd of the guest's own.
//!
//! The kernel starts the agent there (`rdinit`), which leaves a process behind and turns into the initrd's init: that mounts
//! the guest's root as it always does. The process waits until the guest's first process has left the initrd, follows it into
//! its root, and becomes the agent that stays. It has mounts of its own meanwhile: the initrd's init finds none that it has
//! not made.

use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, Mode, OFlags, open, openat, stat, statat};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MountPropagationFlags, mount_change};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space};
use thiserror::Error;
use vmtest_protocol::PORT_NAME;
use vmtest_protocol::boot::{AGENT_PATH, BootConfig, CONFIG_PATH, INITRD_INIT, Initrd};

use super::{BootError, config, devices, execute_init, modules, root, shares};
use crate::kmsg::{Level, note};
use crate::serve;

/// The word by which the process that stays behind knows what it is.
pub const FOLLOW: &str = "follow";

/// The longest time between two looks at the first process: what it does last before it is in its root is no change of mounts.
const INTERVAL: Duration = Duration::from_millis(20);

/// Why the agent cannot follow.
#[derive(Debug, Error)]
enum FollowError {
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error("there is a configuration for another kind of boot")]
    Kind,
    #[error("no mounts of its own: {0}")]
    Mounts(#[source] Errno),
    #[error(transparent)]
    Root(#[from] root::RootError),
    #[error("the first process cannot be looked at: {0}")]
    First(#[source] Errno),
    #[error("cannot enter the guest's root: {0}")]
    Enter(#[source] Errno),
    #[error(transparent)]
    Device(#[from] devices::DeviceError),
    #[error("cannot go on as the agent: {0}")]
    Agent(#[source] io::Error),
}

/// Leaves a process that follows, and turns this one into the initrd's init.
pub(super) fn hand_over(config: &Initrd) -> Result<Infallible, BootError> {
    modules::load(modules::open(&config.modules)?)?;
    // The initrd may be gone before it is read.
    let file = File::open(CONFIG_PATH).map_err(BootError::Agent)?;
    let follower = Command::new(AGENT_PATH)
        .arg0(serve::NAME)
        .arg(FOLLOW)
        .env_clear()
        .stdin(Stdio::from(file))
        .spawn();
    follower.map_err(BootError::Agent)?;
    execute_init(INITRD_INIT)
}

/// Waits for the guest's root, and serves there for ever.
#[must_use]
pub fn follow() -> ExitCode {
    let Err(error) = try_follow();
    note(Level::Critical, &format!("the agent ends: {error}"));
    ExitCode::FAILURE
}

fn try_follow() -> Result<Infallible, FollowError> {
    let mut frame = Vec::new();
    let read = io::stdin().read_to_end(&mut frame);
    read.map_err(config::ConfigError::Unreadable)?;
    let BootConfig::Initrd(config) = config::parse(&frame)? else {
        return Err(FollowError::Kind);
    };
    let processes = unshare_mounts()?;
    wait_until_first_process_is_in_its_root(&processes)?;
    // From the root of that name space one is on top of whatever was mounted there last.
    let mounts = open_in(&processes, "1/ns/mnt")?;
    move_into_link_name_space(mounts.as_fd(), Some(LinkNameSpaceType::Mount))
        .map_err(FollowError::Enter)?;
    let port = devices::open_port(PORT_NAME)?;
    for share in &config.shares {
        if let Err(error) = shares::attach(share) {
            note(Level::Warning, &error.to_string());
        }
    }
    let error = serve::command(port).exec();
    Err(FollowError::Agent(error))
}

/// Gives the process mounts of its own, and opens its `/proc`: whoever empties the initrd takes the folder away that it is mounted
/// on, and with that the mount.
#[expect(
    unsafe_code,
    reason = "unsharing descriptors would be unsafe, and the call can do that, too"
)]
fn unshare_mounts() -> Result<OwnedFd, FollowError> {
    // SAFETY: descriptors stay shared.
    let unshared = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) };
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    unshared
        .and_then(|()| mount_change("/", private))
        .map_err(FollowError::Mounts)?;
    let proc = Path::new("/proc");
    root::make_dir(proc)?;
    root::mount_on("proc", proc, "proc", MountFlags::empty(), "")?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    open(proc, flags, Mode::empty()).map_err(FollowError::First)
}

fn open_in(processes: &OwnedFd, path: &str) -> Result<OwnedFd, FollowError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    openat(processes, path, flags, Mode::empty()).map_err(FollowError::First)
}

/// Without a deadline: somebody may have to type a password first, and the runner knows how long a boot may take.
fn wait_until_first_process_is_in_its_root(processes: &OwnedFd) -> Result<(), FollowError> {
    let initrd = stat("/").map_err(FollowError::First)?.st_dev;
    let has_left = |path: &str| {
        statat(processes, path, AtFlags::empty()).is_ok_and(|file| file.st_dev != initrd)
    };
    let mounts = open_in(processes, "1/mountinfo")?;
    // It enters the root, and then executes an init that lies there.
    while !(has_left("1/root") && has_left("1/exe")) {
        let changed = PollFd::new(&mounts, PollFlags::PRI);
        let _ = poll(&mut [changed], Some(&serve::timespec(INTERVAL)));
    }
    Ok(())
}

//! From the kernel's hand to the guest's own init.
//!
//! ```text
//! devtmpfs, proc, sysfs, run -> configuration -> modules -> devices -> root (image + writable layer) -> names
//!     -> switch root -> agent started -> late modules -> network -> the host's folders
//!     -> guest's init executed in this process
//! ```
//!
//! The agent answers as soon as there is a root to answer from, while what only the guest's own programs need is still
//! being made.
//!
//! A guest with an [`mod@initrd`] of its own comes to its root in its own way, and the agent follows.
//!
//! Whatever fails on the way is said over the channel and in the kernel's log, and the machine goes off.

mod config;
mod devices;
mod failure;
pub mod initrd;
mod modules;
mod netlink;
mod network;
mod root;
pub(crate) mod shares;

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::fs::OFlags;
use thiserror::Error;
use vmtest_protocol::PORT_NAME;
use vmtest_protocol::boot::{BootConfig, Direct, PERSISTENT_SERIAL, ROOT_IMAGE_SERIAL};

use crate::kmsg::{Level, note};
use crate::serve;

/// Why the guest could not be booted.
#[derive(Debug, Error)]
enum BootError {
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    #[error(transparent)]
    Module(#[from] modules::ModuleError),
    #[error(transparent)]
    Device(#[from] devices::DeviceError),
    #[error(transparent)]
    Root(#[from] root::RootError),
    #[error(transparent)]
    Network(#[from] network::NetworkError),
    #[error("cannot start the agent: {0}")]
    Agent(#[source] io::Error),
    #[error("cannot execute the guest's init {path}: {source}")]
    Init { path: String, source: io::Error },
}

/// Boots the guest and becomes its init; on failure, powers the machine off.
pub fn boot() -> ! {
    let mut port = None;
    let Err(error) = try_boot(&mut port);
    // In an initrd of the guest's own nothing is mounted, and there would be nowhere to say why.
    let _ = root::mount_basics();
    failure::give_up(port, &error.to_string())
}

fn try_boot(port: &mut Option<OwnedFd>) -> Result<Infallible, BootError> {
    let config = match config::read() {
        Ok(BootConfig::Initrd(config)) => return initrd::hand_over(&config),
        Ok(BootConfig::Direct(config)) => Ok(config),
        Err(error) => Err(error),
    };
    root::mount_basics()?;
    boot_directly(&config?, port)
}

fn boot_directly(config: &Direct, port: &mut Option<OwnedFd>) -> Result<Infallible, BootError> {
    modules::load(modules::open(&config.modules)?)?;
    // The initrd is gone when they are loaded.
    let late_modules = modules::open(&config.late_modules)?;
    let channel = devices::open_port(PORT_NAME)?;
    let agents_end = channel.try_clone().map_err(BootError::Agent)?;
    *port = Some(channel);

    let image = devices::find_disk(ROOT_IMAGE_SERIAL)?;
    let persistent = match config.persistent {
        true => Some(devices::find_disk(PERSISTENT_SERIAL)?),
        false => None,
    };
    root::assemble(config.image, &image, persistent.as_deref())?;
    if let Some(names) = &config.names {
        root::write_names(names)?;
        network::set_host_name(&names.host_name)?;
    }
    root::switch()?;
    let mut agent = serve::start(agents_end).map_err(BootError::Agent)?;
    complete(config, late_modules)
        .and_then(|()| execute_init(&config.init))
        .inspect_err(|_| stop(&mut agent))
}

/// Makes what the guest's own programs find, and the agent does without.
fn complete(config: &Direct, late_modules: Vec<modules::Open>) -> Result<(), BootError> {
    modules::load(late_modules)?;
    if let Some(interfaces) = &config.interfaces {
        network::name(interfaces, config.names.is_some())?;
    }
    for folder in &config.shares {
        shares::attach(folder)?;
    }
    Ok(())
}

/// The port is needed for the report.
fn stop(agent: &mut Child) {
    let _ = agent.kill();
    let _ = agent.wait();
}

/// Turns this process into the guest's init.
fn execute_init(path: &str) -> Result<Infallible, BootError> {
    note(Level::Info, &format!("handing over to {path}"));

    let mut init = Command::new(path);
    // The kernel's own way: its unknown parameters as arguments, and this environment.
    init.args(
        std::env::args_os()
            .skip(1)
            .filter(|word| !word.as_bytes().is_empty()),
    )
    .env_clear()
    .env("HOME", "/")
    .env("TERM", "linux");
    if let Ok(console) = console() {
        init.stdin(console.0).stdout(console.1).stderr(console.2);
    }
    let source = init.exec();
    Err(BootError::Init {
        path: path.to_owned(),
        source,
    })
}

/// The console, three times over: the kernel has opened it only if the initrd holds the device.
fn console() -> io::Result<(File, File, File)> {
    let flags = OFlags::NOCTTY.bits().cast_signed();
    let console = File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open("/dev/console")?;
    Ok((console.try_clone()?, console.try_clone()?, console))
}

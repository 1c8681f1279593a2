//! QEMU: how it is started, and how it is spoken to.
//!
//! - [`accel`]: whether KVM works, tried for real;
//! - [`architecture`]: what differs between machines of one and another;
//! - `company`: what runs beside it;
//! - [`environment`]: what the environment adds to a start;
//! - [`launch`]: what becomes it;
//! - [`plan`]: the command line as pure data;
//! - [`process`]: the running program;
//! - [`qmp`]: its control channel;
//! - [`start_command`]: QEMU by a command of the host's shell;
//! - [`vde`]: how such a QEMU is plugged into a VLAN.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

pub mod accel;
pub mod architecture;
mod company;
pub mod environment;
pub mod launch;
pub mod plan;
pub mod process;
pub mod qmp;
pub mod start_command;
pub mod vde;

/// The version of a QEMU, such as `10.0.2`. Blocking.
///
/// # Errors
/// When the program does not run, or does not tell.
pub fn qemu_version(program: &Path) -> Result<String> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| program.display().to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let first = text.lines().next().unwrap_or_default();
    let version = first.split_once("version ").map(|(_, version)| version);
    ensure!(
        output.status.success() && version.is_some(),
        "{} --version does not tell a version: {first}",
        program.display()
    );
    Ok(version.unwrap_or_default().to_owned())
}

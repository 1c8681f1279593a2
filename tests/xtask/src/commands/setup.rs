//! `cargo xtask setup`: makes what is missing.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;

use crate::progress::clock;
use crate::toolbox::Toolbox;

pub(crate) fn run() -> Result<ExitCode> {
    let toolbox = ready()?;
    eprintln!(
        "The toolbox is ready in {}.",
        toolbox.cache().root().display()
    );
    Ok(ExitCode::SUCCESS)
}

/// The toolbox with nothing missing.
pub(super) fn ready() -> Result<Toolbox> {
    let toolbox = Toolbox::find()?;
    let start = Instant::now();
    toolbox.set_up(|holder| eprintln!("waiting for {holder} to finish setting up"))?;
    eprintln!("set up in {}", clock(start.elapsed()));
    Ok(toolbox)
}

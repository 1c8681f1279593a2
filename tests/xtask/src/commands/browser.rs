//! `cargo xtask browser`: the toolbox's Chromium, for tests of pages.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::namespace::exit_code;
use crate::toolbox::Toolbox;

/// Says nothing of itself, and asks nobody for anything: the page is all that it opens. The toolbox belongs to root, for whom
/// Chromium has no sandbox.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let toolbox = Toolbox::find()?;
    toolbox.set_up_browser(|holder| eprintln!("waiting for {holder} to finish setting up"))?;
    let _in_use = toolbox.in_use()?;
    // It is seen inside, too.
    let profile = tempfile::tempdir_in("/tmp").context("cannot make a folder for the browser")?;
    let profile = format!("--user-data-dir={}", profile.path().display());
    let mut program = vec!["chromium"];
    program.extend(FLAGS);
    program.push(&profile);
    program.extend(arguments.iter().map(String::as_str));
    let status = toolbox.browse(&program).status();
    Ok(exit_code(status.context("cannot start the browser")?))
}

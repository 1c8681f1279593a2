//! `cargo xtask nix` and `cargo xtask shell`: the toolbox's Nix, with the plugin loaded.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::namespace::exit_code;
use crate::toolbox::Toolbox;

pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let program = ["nix"]
        .into_iter()
        .chain(arguments.iter().map(String::as_str));
    let toolbox = existing()?;
    if !toolbox.plugin().exists() {
        eprintln!("xtask: no plugin is loaded, since none is built: run `cargo xtask setup`");
    }
    inside(&toolbox, &program.collect::<Vec<_>>())
}

pub(crate) fn shell() -> Result<ExitCode> {
    let toolbox = super::setup::ready()?;
    eprintln!(
        "`nix` has the plugin loaded; tests are in {}",
        toolbox.repository().join("tests").display()
    );
    eprintln!(
        "the tools for them: --arg tools 'import {}'",
        toolbox.tools_nix().display()
    );
    inside(&toolbox, &["bash", "--norc"])
}

/// Runs a program inside the root, in the directory that the developer is in.
pub(super) fn inside(toolbox: &Toolbox, program: &[&str]) -> Result<ExitCode> {
    let _in_use = toolbox.in_use()?;
    let mut command = toolbox.enter(program, &here(toolbox), true);
    Ok(exit_code(
        command.status().context("cannot enter the toolbox")?,
    ))
}

/// The toolbox as it is. It is not brought up to date: scripts that call `nix` often would pay for it each time.
pub(super) fn existing() -> Result<Toolbox> {
    let toolbox = Toolbox::find()?;
    let is_missing = toolbox.results().values().any(|result| !result.exists());
    // Another clone may have made all but that.
    if is_missing || !toolbox.tools_nix().exists() {
        bail!("the toolbox is not there, or out of date: run `cargo xtask setup`");
    }
    Ok(toolbox)
}

/// The current directory if it can be seen inside, or else the repository.
fn here(toolbox: &Toolbox) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let visible = [
        toolbox.repository(),
        toolbox.cache().root(),
        "/tmp".as_ref(),
    ];
    if visible.iter().any(|dir| here.starts_with(dir)) {
        here
    } else {
        toolbox.repository().to_owned()
    }
}

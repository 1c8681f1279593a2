//! `cargo xtask path`: where a built part lies, for scripts.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::cli::Part;
use crate::toolbox::Toolbox;

pub(crate) fn run(part: Part) -> Result<ExitCode> {
    println!("{}", of(&super::nix::existing()?, part)?.display());
    Ok(ExitCode::SUCCESS)
}

fn of(toolbox: &Toolbox, part: Part) -> Result<PathBuf> {
    let program = |attribute: &str, file: &str| -> Result<PathBuf> {
        Ok(toolbox
            .outside(&toolbox.tools()?[attribute])
            .join("bin")
            .join(file))
    };
    match part {
        Part::Runner => program("runner", "vmtest"),
        Part::Agent => program("agent", "vmtest-agent"),
        Part::Plugin => Ok(toolbox.plugin()),
        Part::Nix => Ok(toolbox.nix_dir().join("bin/nix")),
        Part::Tools => Ok(toolbox.tools_nix()),
        Part::Nixpkgs => nixpkgs(toolbox),
    }
}

/// A copy of the stub with the file that tells it of the tools.
fn nixpkgs(toolbox: &Toolbox) -> Result<PathBuf> {
    let tools = toolbox.tools_nix();
    let folder = tools.parent().context("no folder")?;
    let new = tempfile::tempdir_in(folder)?;
    let (copied, place) = (new.path().join("nixpkgs"), folder.join("nixpkgs"));
    copy(&toolbox.repository().join("tests/nixpkgs-stub"), &copied)?;
    fs::copy(&tools, copied.join("tools.nix"))?;
    match fs::remove_dir_all(&place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => fs::rename(&copied, &place),
    }
    .with_context(|| place.display().to_string())?;
    Ok(place)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| to.display().to_string())?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

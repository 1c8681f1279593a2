//! `cargo xtask path`: where a built part lies, for scripts.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

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
    }
}

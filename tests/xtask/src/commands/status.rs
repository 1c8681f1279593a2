//! `cargo xtask status`: what is there, how big, in which version.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::toolbox::Toolbox;

pub(crate) fn run() -> Result<ExitCode> {
    let toolbox = Toolbox::find()?;
    // Whoever pipes this into `head` has seen enough.
    let _ = std::io::stdout().write_all(report(&toolbox)?.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn report(toolbox: &Toolbox) -> Result<String> {
    let mut out = String::new();
    let root = toolbox.cache().root();
    writeln!(out, "cache: {} ({})", root.display(), size(root))?;
    for (step, result) in toolbox.results() {
        let state = if result.exists() {
            size(&result)
        } else {
            "missing".into()
        };
        writeln!(out, "  {step:<10} {state:>8}  {}", result.display())?;
    }
    for dir in ["nix", "cargo"] {
        let path = toolbox.cache().path(dir);
        writeln!(out, "  {dir:<10} {:>8}  {}", size(&path), path.display())?;
    }
    if super::nix::existing().is_err() {
        writeln!(out, "not ready: run `cargo xtask setup`")?;
        return Ok(out);
    }
    writeln!(out, "versions:")?;
    writeln!(
        out,
        "  nix     {}",
        version(toolbox.enter(&["nix", "--version"], "/".as_ref(), false))
    )?;
    let tools = toolbox.tools()?;
    let qemu = format!("{}/bin/qemu-system-x86_64", tools["qemu"]);
    writeln!(
        out,
        "  qemu    {}",
        version(toolbox.enter(&[&qemu, "--version"], "/".as_ref(), false))
    )?;
    let modules = toolbox.outside(&tools["kernel"]).join("lib/modules");
    let kernel = std::fs::read_dir(modules)?
        .next()
        .transpose()?
        .map(|entry| entry.file_name());
    writeln!(
        out,
        "  kernel  {}",
        kernel.unwrap_or_default().to_string_lossy()
    )?;
    writeln!(out, "of this working copy:")?;
    writeln!(
        out,
        "  plugin  {:>8}  {}",
        size(&toolbox.plugin()),
        toolbox.plugin().display()
    )?;
    for (name, path) in &tools {
        if path.starts_with('/') {
            let path = toolbox.outside(path);
            writeln!(out, "  {name:<10} {:>5}  {}", size(&path), path.display())?;
        }
    }
    Ok(out)
}

/// What `du` says, in a unit that is easy to read.
fn size(path: &Path) -> String {
    let output = Command::new("du").args(["-sh", "--"]).arg(path).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default()
        .split_whitespace()
        .next()
        .unwrap_or("-")
        .to_owned()
}

/// The first line that a program prints.
fn version(mut command: Command) -> String {
    let output = command
        .output()
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    output
        .unwrap_or_default()
        .lines()
        .next()
        .unwrap_or("does not run")
        .to_owned()
}

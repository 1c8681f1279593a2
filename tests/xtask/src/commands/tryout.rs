//! `cargo xtask try`: from a bare machine to a passed VM test.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::namespace::exit_code;
use crate::progress::clock;

pub(crate) fn run() -> Result<ExitCode> {
    let toolbox = super::setup::ready()?;
    let _in_use = toolbox.in_use()?;
    let link = toolbox.clone_dir().join("result-hello");
    let program = [
        "nix",
        "build",
        "-L",
        "--file",
        "tests/default.nix",
        "hello",
        "--arg",
        "tools",
        &format!("import {}", toolbox.tools_nix().display()),
        "--out-link",
        &link.display().to_string(),
    ];
    eprintln!("building tests/hello in Nix's sandbox: two machines, one Python script");
    let start = Instant::now();
    let status = toolbox.enter(&program, toolbox.repository(), true).status();
    let status = status.context("cannot enter the toolbox")?;
    if !status.success() {
        eprintln!("tests/hello FAILED after {}", clock(start.elapsed()));
        return Ok(exit_code(status));
    }
    let result = std::fs::read_link(&link).context("nix left no result")?;
    let result = toolbox.outside(&result.to_string_lossy());
    println!("tests/hello passed in {}", clock(start.elapsed()));
    println!("  report:  {}", result.join("index.html").display());
    println!("  outputs: {}", result.display());
    Ok(ExitCode::SUCCESS)
}

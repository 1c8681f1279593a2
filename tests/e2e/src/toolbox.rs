//! Nix with the plugin, through `xtask`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

/// Names the `xtask` program, which `cargo xtask test` sets.
const XTASK: &str = "VMTEST_XTASK";

/// Names the list of the toolbox's store paths.
const TOOLS: &str = "VMTEST_TOOLS_NIX";

/// The toolbox that the tests run in.
#[derive(Debug, Clone)]
pub struct Toolbox {
    xtask: PathBuf,
    tools: PathBuf,
    tests: PathBuf,
}

impl Toolbox {
    /// Finds it.
    ///
    /// # Errors
    /// When it was not `cargo xtask test` that called.
    pub fn find() -> Result<Self> {
        let variable = |name| {
            env::var_os(name).with_context(|| format!("{name} is not set: run `cargo xtask test`"))
        };
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("..")
            .canonicalize()?;
        Ok(Self {
            xtask: variable(XTASK)?.into(),
            tools: variable(TOOLS)?.into(),
            tests,
        })
    }

    /// The folder of the tests.
    #[must_use]
    pub fn tests(&self) -> &Path {
        &self.tests
    }

    /// The file that lists the toolbox's store paths.
    #[must_use]
    pub fn tools(&self) -> &Path {
        &self.tools
    }

    /// Reads a file of the toolbox's store.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(&self, path: &str) -> Result<String> {
        let output = self
            .xtask()
            .args(["nix", "--", "store", "cat", path])
            .output()?;
        if !output.status.success() {
            bail!("{path}: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn xtask(&self) -> Command {
        let mut command = Command::new(&self.xtask);
        command.stdin(Stdio::null());
        command
    }

    /// Runs `nix` with these arguments and those that select the tests of this repository.
    ///
    /// # Errors
    /// When it cannot be run. A `nix` that fails is no error.
    pub fn nix(&self, arguments: &[&str]) -> Result<Output> {
        self.xtask()
            .args(["nix", "--"])
            .args(arguments)
            .arg("-f")
            .arg(self.tests.join("default.nix"))
            .args(["--arg", "tools"])
            .arg(format!("import {}", self.tools.display()))
            .output()
            .with_context(|| self.xtask.display().to_string())
    }

    /// Runs `nix eval` on a function of the tests and returns the JSON that it gives.
    ///
    /// # Errors
    /// When the evaluation fails, with what Nix says.
    pub fn eval(&self, extra: &[&str], function: &str) -> Result<serde_json::Value> {
        let mut arguments = vec!["eval", "--impure", "--json", "--apply", function];
        arguments.extend(extra);
        let output = self.nix(&arguments)?;
        if !output.status.success() {
            bail!(
                "nix eval failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        serde_json::from_slice(&output.stdout).context("nix eval prints JSON")
    }
}

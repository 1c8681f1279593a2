//! Nix with the plugin, through `xtask`.

use std::env;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, bail};

use crate::expected::TABLE;

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

    /// Where a built part lies: `runner`, `agent`, `plugin` or `nixpkgs`.
    ///
    /// # Errors
    /// When xtask does not tell.
    pub fn path(&self, part: &str) -> Result<PathBuf> {
        let output = self.xtask().args(["path", part]).output()?;
        if !output.status.success() {
            bail!(
                "xtask path {part}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().into())
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
            .arg(self.tools_expression())
            .output()
            .with_context(|| self.xtask.display().to_string())
    }

    /// What a command of Nix prints on its standard output; `input` is its standard input.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub fn plain_nix(&self, arguments: &[&str], input: &str) -> Result<String> {
        self.feed(&[&["nix", "--"], arguments].concat(), input)
    }

    /// What the toolbox's browser prints; it runs without a window, and ends by itself.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub fn browser(&self, arguments: &[&str]) -> Result<String> {
        self.feed(&[&["browser", "--"], arguments].concat(), "")
    }

    /// What a shell in the toolbox prints on its standard output.
    ///
    /// # Errors
    /// When it fails, with what it says.
    pub fn shell(&self, script: &str) -> Result<String> {
        self.feed(&["shell"], &format!("set -e\n{script}"))
    }

    fn feed(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = self
            .xtask()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().context("its input is no pipe")?;
        let written = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "xtask {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        match written {
            // It has ended well without the rest.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            written => written?,
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// When it has none, with what Nix says.
    pub fn eval(&self, expression: &str) -> Result<serde_json::Value> {
        let printed = self.plain_nix(&["eval", "--impure", "--json", "--expr", expression], "")?;
        serde_json::from_str(&printed).context("nix eval prints JSON")
    }

    /// The derivations by name of the tests that can be evaluated, as `vm_test` makes them, a Nix expression.
    ///
    /// # Errors
    /// When the evaluation fails, with what Nix says.
    pub fn derivations(&self, vm_test: &str, options: &[&str]) -> Result<serde_json::Value> {
        let wrong = TABLE.iter().filter(|test| test.evaluation.is_some());
        let wrong: Vec<String> = wrong.map(|test| format!("\"{}\"", test.test)).collect();
        let expression = format!(
            "builtins.mapAttrs (_: test: test.drvPath) (removeAttrs (import {} {{ tools = ({}); vmTest = {vm_test}; }}) [ {} ])",
            self.tests.join("default.nix").display(),
            self.tools_expression(),
            wrong.join(" "),
        );
        let arguments = ["eval", "--impure", "--json", "--expr", &expression];
        let printed = self.plain_nix(&[&arguments, options].concat(), "")?;
        serde_json::from_str(&printed).context("nix eval prints JSON")
    }

    /// The stand-in for nixpkgs, as a flake.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn nixpkgs(&self) -> Result<String> {
        Ok(format!("path:{}", self.path("nixpkgs")?.display()))
    }

    /// The list of the toolbox's store paths, as a Nix expression.
    #[must_use]
    pub fn tools_expression(&self) -> String {
        format!("import {}", self.tools.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What it was not told it cannot say; what went wrong it can.
    #[test]
    fn a_nix_that_ends_before_it_is_told_everything_says_why_itself() {
        let run = |xtask: &str| {
            let toolbox = Toolbox {
                xtask: xtask.into(),
                tools: PathBuf::new(),
                tests: PathBuf::new(),
            };
            // More than a pipe takes.
            toolbox.plain_nix(&["repl"], &"x".repeat(1 << 20))
        };
        let failed = run("false").expect_err("it fails");
        assert_eq!(failed.to_string(), "xtask nix -- repl: ");
        let ended = run("echo").expect("it ends well");
        assert_eq!(ended, "nix -- repl\n");
    }
}

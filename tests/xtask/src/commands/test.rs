//! `cargo xtask test`: everything that is checked, and a plain summary at the end.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::progress::clock;
use crate::toolbox::Toolbox;

/// Crates that are part of the static programs: linted and tested as they are shipped.
const STATIC: [&str; 11] = [
    "vmtest",
    "vmtest-agent",
    "vmtest-check",
    "vmtest-image",
    "vmtest-manifest",
    "vmtest-protocol",
    "vmtest-report",
    "vmtest-script",
    "vmtest-share",
    "vmtest-state",
    "vmtest-switch",
];

/// Crates that run on the developer's machine only.
const TOOLS: [&str; 2] = ["xtask", "architecture"];

/// The crate whose tests are the end-to-end tests: they run last, by themselves.
const END_TO_END: &str = "e2e";

const PLUGIN: [&str; 1] = ["nix-vmtest-plugin"];

/// The variable that tells tests where xtask is.
const XTASK: &str = "VMTEST_XTASK";

/// What was checked, and how it went.
struct Check {
    name: &'static str,
    passed: bool,
    time: Duration,
}

pub(crate) fn run() -> Result<ExitCode> {
    let toolbox = super::setup::ready()?;
    toolbox.set_up_browser(|holder| eprintln!("waiting for {holder} to finish setting up"))?;
    let _in_use = toolbox.in_use()?;
    let mut checks = vec![check(
        "format",
        toolbox.cargo().args(["fmt", "--all", "--check"]),
    )?];
    for group in groups(&toolbox)? {
        checks.push(check(group.lints, &mut group.clippy(&toolbox))?);
        checks.push(check(group.tests, &mut group.test(&toolbox))?);
    }
    checks.push(check("end-to-end tests", &mut end_to_end(&toolbox)?)?);
    println!("{}", summary(&checks));
    let passed = checks.iter().all(|check| check.passed);
    Ok(if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Crates that are compiled under the same settings.
struct Group {
    lints: &'static str,
    tests: &'static str,
    packages: &'static [&'static str],
    environment: Vec<(&'static str, String)>,
    release: bool,
    /// Whether there are tests that plain `cargo test` leaves out since they need the toolbox.
    in_toolbox: bool,
}

fn groups(toolbox: &Toolbox) -> Result<[Group; 3]> {
    let environment = Toolbox::static_environment().map(|(name, value)| (name, value.to_owned()));
    let mut plugin = toolbox.plugin_environment()?.to_vec();
    plugin.push((XTASK, xtask()?));
    Ok([
        Group {
            lints: "lints of runner and agent",
            tests: "unit tests of runner and agent",
            packages: &STATIC,
            environment: environment.into(),
            release: true,
            in_toolbox: false,
        },
        Group {
            lints: "lints of the plugin",
            tests: "unit tests of the plugin",
            packages: &PLUGIN,
            environment: plugin,
            release: true,
            in_toolbox: true,
        },
        Group {
            lints: "lints of xtask, architecture and end-to-end tests",
            tests: "unit tests of xtask and architecture",
            packages: &TOOLS,
            environment: Vec::new(),
            release: false,
            in_toolbox: false,
        },
    ])
}

impl Group {
    fn clippy(&self, toolbox: &Toolbox) -> Command {
        let mut command = toolbox.cargo();
        self.select(command.arg("clippy"));
        if !self.release {
            command.args(["-p", END_TO_END]);
        }
        command.args(["--all-targets", "--", "-D", "warnings"]);
        command
    }

    fn test(&self, toolbox: &Toolbox) -> Command {
        let mut command = toolbox.cargo();
        if has_nextest(toolbox) {
            self.select(command.args(["nextest", "run", "--profile", "ci", "--no-tests", "pass"]));
            if self.in_toolbox {
                command.args(["--run-ignored", "all"]);
            }
        } else {
            self.select(command.args(["test", "--quiet"]));
            if self.in_toolbox {
                command.args(["--", "--include-ignored"]);
            }
        }
        command
    }

    fn select<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if self.release {
            command.arg("--release");
        }
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command
            .envs(environment)
            .args(self.packages.iter().flat_map(|name| ["-p", name]))
    }
}

/// The tests in `tests/`, built by Nix in its sandbox and compared with the outcome that each must have.
pub(super) fn end_to_end(toolbox: &Toolbox) -> Result<Command> {
    let mut command = toolbox.cargo();
    command
        .args(["test", "-p", END_TO_END])
        .env(XTASK, xtask()?);
    command.env("VMTEST_TOOLS_NIX", toolbox.tools_nix());
    Ok(command)
}

/// This program, for tests that start the toolbox's Nix.
fn xtask() -> Result<String> {
    let path = std::env::current_exe().context("cannot find xtask itself")?;
    Ok(path.display().to_string())
}

fn has_nextest(toolbox: &Toolbox) -> bool {
    let output = toolbox.cargo().args(["nextest", "--version"]).output();
    output.is_ok_and(|output| output.status.success())
}

fn check(name: &'static str, command: &mut Command) -> Result<Check> {
    println!("== {name}");
    let start = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    Ok(Check {
        name,
        passed: status.success(),
        time: start.elapsed(),
    })
}

fn summary(checks: &[Check]) -> String {
    let mut text = "\nsummary:\n".to_owned();
    for Check { name, passed, time } in checks {
        let word = if *passed { "passed" } else { "FAILED" };
        text.push_str(&format!("  {word}  {:>6}  {name}\n", clock(*time)));
    }
    let failed = checks.iter().filter(|check| !check.passed).count();
    text + &match failed {
        0 => format!("all {} checks passed", checks.len()),
        _ => format!("{failed} of {} checks FAILED", checks.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_failed() {
        let time = Duration::from_secs(61);
        let good = Check {
            name: "format",
            passed: true,
            time,
        };
        let bad = Check {
            name: "unit tests",
            passed: false,
            time,
        };
        assert_eq!(
            summary(&[good, bad]),
            "\nsummary:\n  passed    1:01  format\n  FAILED    1:01  unit tests\n1 of 2 checks FAILED"
        );
    }

    #[test]
    fn every_crate_of_the_workspace_is_in_a_group() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--no-deps", "--format-version=1"])
            .current_dir(root)
            .output()
            .unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        for package in metadata["packages"].as_array().unwrap() {
            let name = package["name"].as_str().unwrap();
            let known = [&STATIC[..], &TOOLS[..], &PLUGIN[..], &["e2e"]].concat();
            assert!(
                known.contains(&name),
                "`{name}` is in no group of `cargo xtask test`"
            );
        }
    }
}

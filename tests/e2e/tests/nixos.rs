//! NixOS tests, as far as evaluation tells: what becomes of each option, and a project's flake.
//!
//! The tables lie in `tests/nixos-options`; `nixos/options.md` is their summary for users.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use e2e::toolbox::Toolbox;
use serde_json::Value;

/// An expression of the tables.
fn tables(toolbox: &Toolbox, expression: &str) -> String {
    format!(
        "with import {}/nixos-options/all.nix {{ tools = {}; }}; {expression}",
        toolbox.tests().display(),
        toolbox.tools_expression()
    )
}

/// What a list of the tables holds.
fn names_in(toolbox: &Toolbox, list: &str) -> Result<Vec<String>> {
    Ok(serde_json::from_value(
        toolbox.eval(&tables(toolbox, list))?,
    )?)
}

#[test]
fn options_are_mapped() -> Result<()> {
    let toolbox = Toolbox::find()?;
    holds(&toolbox, "mapped", 40)
}

#[test]
fn nodes_boot_as_their_options_need_it() -> Result<()> {
    let toolbox = Toolbox::find()?;
    holds(&toolbox, "boots", 30)
}

/// What was found is what should be, in each row of a table that has more than `least`.
fn holds(toolbox: &Toolbox, table: &str, least: usize) -> Result<()> {
    let results = toolbox.eval(&tables(toolbox, table))?;
    let results = results.as_object().context("a table")?;
    ensure!(results.len() > least, "only {} rows", results.len());
    for (option, result) in results {
        ensure!(result["got"] == result["expected"], "{option}: {result:#}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_done_is_refused_by_name() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let names = names_in(&toolbox, "builtins.attrNames refused")?;
    ensure!(names.len() > 5, "only {} options", names.len());
    for name in names {
        let error = toolbox.eval(&tables(&toolbox, &format!("refused.\"{name}\".error")))?;
        let error = error.as_str().context("a text")?.to_owned();
        let Err(said) = toolbox.eval(&tables(&toolbox, &format!("refused.\"{name}\".test"))) else {
            anyhow::bail!("{name} is not refused");
        };
        // Nix indents the lines of an error.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (said, error) = (words(&format!("{said:#}")), words(&error));
        ensure!(said.contains(&format!("error: {error}")), "{name}: {said}");
    }
    Ok(())
}

/// Every row of the table for users has one of the five states, and every option is in a row.
#[test]
fn the_documentation_has_no_option_without_a_state() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let text = fs::read_to_string(toolbox.tests().join("../nixos/options.md"))?;
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let mut states = 0;
    for row in rows.filter(|row| row.matches('|').count() == 5) {
        let state = row.split('|').nth(2).unwrap_or_default().trim();
        ensure!(
            ["kept", "mapped", "node", "boot", "refused"].contains(&state),
            "no state: {row}"
        );
        states += 1;
    }
    ensure!(states > 50, "only {states} rows");
    for option in names_in(&toolbox, "declared")? {
        // Alone, or with what it consists of.
        let is_there = ["`", ".", ","]
            .iter()
            .any(|end| text.contains(&format!("`{option}{end}")));
        ensure!(is_there, "the option {option} is missing");
    }
    Ok(())
}

/// A project whose flake knows of vmtest by one overlay: `nix flake check` runs its test, with the plugin as without, and the
/// interactive driver answers.
#[test]
fn a_project_of_the_template_works_as_written() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let scratch = tempfile::tempdir()?;
    let project = Project::new(&toolbox, scratch.path())?;

    let attribute = "checks.x86_64-linux.hello.drvPath";
    let with = project.nix(&toolbox, true, &["eval", "--raw"], attribute, "")?;
    let without = project.nix(&toolbox, false, &["eval", "--raw"], attribute, "")?;
    ensure!(
        with == without && with.ends_with("-vm-test-run-hello-boots.drv"),
        "with the plugin {with}, without {without}"
    );

    for plugin in [true, false] {
        project.nix(&toolbox, plugin, &["flake", "check"], "", "")?;
    }

    let attribute = "checks.x86_64-linux.hello.driverInteractive";
    let input = "start_all()\nrun_tests()\nprint('name:', machine.succeed('hostname'))\nquit()\n";
    let said = project.nix(&toolbox, true, &["run"], attribute, input)?;
    ensure!(said.contains("name: machine"), "{said}");
    Ok(())
}

/// A copy of a template, with the stub as nixpkgs and this clone as vmtest.
struct Project {
    flake: String,
    overrides: Vec<String>,
}

impl Project {
    fn new(toolbox: &Toolbox, scratch: &Path) -> Result<Self> {
        let root = toolbox.tests().join("..").canonicalize()?;
        let template = root.join("nixos/templates/one-machine/flake.nix");
        fs::copy(&template, scratch.join("flake.nix"))?;
        let (stub, vmtest) = (toolbox.nixpkgs()?, clone_of(&root));
        let overrides = [
            ("nixpkgs", &stub),
            ("vmtest", &vmtest),
            ("vmtest/nixpkgs", &stub),
        ];
        let overrides = overrides.into_iter().flat_map(|(input, flake)| {
            let words = ["--override-input", input, flake];
            words.map(str::to_owned)
        });
        Ok(Self {
            flake: format!("path:{}", scratch.display()),
            overrides: overrides.collect(),
        })
    }

    /// What a command of Nix prints on its standard output.
    fn nix(
        &self,
        toolbox: &Toolbox,
        plugin: bool,
        command: &[&str],
        attribute: &str,
        input: &str,
    ) -> Result<String> {
        let mut arguments: Vec<&str> = command.to_vec();
        if !plugin {
            arguments.extend(["--option", "plugin-files", ""]);
        }
        arguments.push("--no-write-lock-file");
        arguments.extend(self.overrides.iter().map(String::as_str));
        let installable = match attribute {
            "" => self.flake.clone(),
            attribute => format!("{}#{attribute}", self.flake),
        };
        arguments.push(&installable);
        toolbox.plain_nix(&arguments, input)
    }
}

/// What git has of a clone: beside that there may be gigabytes of programs.
fn clone_of(root: &Path) -> String {
    format!("git+file://{}", root.display())
}

/// `nix flake check` of this project itself, evaluated for both systems.
#[test]
fn the_flake_evaluates() -> Result<()> {
    let toolbox = Toolbox::find()?;
    let (stub, root) = (
        toolbox.nixpkgs()?,
        clone_of(&toolbox.tests().join("..").canonicalize()?),
    );
    let inputs = ["--override-input", "nixpkgs", &stub, "--no-write-lock-file"];
    let check = ["flake", "check", "--no-build", "--all-systems"];
    toolbox.plain_nix(&[&check[..], &inputs, &[&root]].concat(), "")?;
    let show = ["flake", "show", "--json", "--all-systems"];
    let shown = toolbox.plain_nix(&[&show[..], &inputs, &[&root]].concat(), "")?;
    let shown: Value = serde_json::from_str(&shown)?;
    for system in ["x86_64-linux", "aarch64-linux"] {
        let packages = shown["packages"][system].as_object().context("packages")?;
        for package in [
            "runner",
            "agent",
            "plugin",
            "plugin-nix_2_28",
            "plugin-nix_2_31",
        ] {
            ensure!(packages.contains_key(package), "{system}: {packages:?}");
        }
    }
    Ok(())
}

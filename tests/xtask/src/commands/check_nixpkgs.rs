//! `cargo xtask check-nixpkgs`: our modules with real parts of nixpkgs, as far as evaluation goes.
//!
//! Packages are names only (tests/check-nixpkgs/packages.nix): all words of the modules are taken for such.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use serde_json::{Value, json};

use crate::toolbox::Toolbox;

#[derive(Args)]
pub(crate) struct Arguments {
    /// nixpkgs' folder `lib`
    #[arg(long, value_name = "DIR")]
    lib: PathBuf,
    /// nixpkgs' folder `nixos`: its test modules and NixOS modules are evaluated, too
    #[arg(long, value_name = "DIR")]
    nixos: Option<PathBuf>,
    /// Print whole errors, with the traces of Nix
    #[arg(long)]
    show_trace: bool,
}

/// What Nix counts, and what it is called here.
const COSTS: [(&str, &str); 4] = [
    ("/nrFunctionCalls", "function calls"),
    ("/nrThunks", "thunks"),
    ("/gc/totalBytes", "bytes"),
    ("/cpuTime", "seconds"),
];

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let toolbox = super::setup::ready()?;
    let _in_use = toolbox.in_use()?;
    let scratch = tempfile::tempdir()?;
    let check = Check::new(&toolbox, arguments, scratch.path())?;
    let mut wrong = check.table("withStub", "the stub's NixOS, with the real lib")?;
    if arguments.nixos.is_some() {
        wrong += check.table("withNixos", "the real NixOS")?;
        check.costs()?;
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

struct Check<'a> {
    toolbox: &'a Toolbox,
    /// The arguments of check.nix.
    given: String,
    show_trace: bool,
}

impl<'a> Check<'a> {
    fn new(toolbox: &'a Toolbox, arguments: &Arguments, scratch: &Path) -> Result<Self> {
        let folder = |path: &Path| -> Result<PathBuf> {
            let path = path.canonicalize();
            let path = path.context("cannot find nixpkgs")?;
            ensure!(
                path.starts_with("/tmp") || path.starts_with(toolbox.cache().root()),
                "{} cannot be seen in the toolbox: put it below /tmp",
                path.display()
            );
            Ok(path)
        };
        let mut given = format!(
            "libDir = {}; tools = import {};",
            folder(&arguments.lib)?.display(),
            toolbox.tools_nix().display()
        );
        if let Some(nixos) = &arguments.nixos {
            let nixos = folder(nixos)?;
            let words = scratch.join("words.json");
            fs::write(&words, words_of(&nixos)?.to_string())?;
            given += &format!(
                " nixosDir = {}; words = {};",
                nixos.display(),
                words.display()
            );
        }
        Ok(Self {
            toolbox,
            given,
            show_trace: arguments.show_trace,
        })
    }

    /// Prints a table and returns how many of its rows are wrong.
    fn table(&self, table: &str, title: &str) -> Result<usize> {
        let names = self
            .eval(&format!("builtins.attrNames check.{table}"), "")?
            .0;
        let names: Vec<String> = serde_json::from_value(names)?;
        println!("{title}:");
        let mut wrong = 0;
        for name in &names {
            let row = format!("check.{table}.{}", json!(name));
            match self.eval(&row, "") {
                Ok((row, _)) if row["got"] == row["expected"] => println!("  as expected  {name}"),
                Ok((row, _)) => {
                    wrong += 1;
                    println!("  WRONG        {name}: {row}");
                }
                Err(error) => {
                    wrong += 1;
                    println!("  FAILED       {name}: {error:#}");
                }
            }
        }
        println!("{} of {} as expected", names.len() - wrong, names.len());
        Ok(wrong)
    }

    /// What it costs to evaluate a test as upstream runs it and as vmtest does.
    fn costs(&self) -> Result<()> {
        println!("evaluation of a test, vmtest to upstream:");
        for count in [1, 4] {
            let cost = |who: &str| -> Result<Value> {
                let given = format!("count = {count};");
                Ok(self.eval(&format!("check.{who}"), &given)?.1)
            };
            let (upstream, ours) = (cost("upstream")?, cost("ours")?);
            for (pointer, name) in COSTS {
                let figure =
                    |statistics: &Value| statistics.pointer(pointer).and_then(Value::as_f64);
                let (Some(upstream), Some(ours)) = (figure(&upstream), figure(&ours)) else {
                    bail!("Nix does not count {name}");
                };
                println!(
                    "  {count} nodes: {name}: {ours} to {upstream}: {:.3}",
                    ours / upstream
                );
            }
        }
        Ok(())
    }

    /// The value of an expression, and what Nix counted.
    fn eval(&self, expression: &str, given: &str) -> Result<(Value, Value)> {
        let repository = self.toolbox.repository();
        let text = format!(
            "let check = import {}/tests/check-nixpkgs/check.nix {{ {} {given} }}; in {expression}",
            repository.display(),
            self.given
        );
        let mut program = vec!["nix", "eval", "--impure", "--json", "--expr", &text];
        if self.show_trace {
            program.push("--show-trace");
        }
        let mut command = self.toolbox.enter(&program, repository, true);
        let output = command.env("NIX_SHOW_STATS", "1").output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() && self.show_trace {
            bail!("{said}");
        } else if !output.status.success() {
            let error = said.rsplit("error:").next().unwrap_or_default();
            bail!("{}", error.split("\n{").next().unwrap_or_default().trim());
        }
        let value = serde_json::from_slice(&output.stdout).context("nix eval prints JSON")?;
        let statistics = said
            .find("\n{")
            .map_or(said.as_ref(), |start| &said[start..]);
        Ok((
            value,
            serde_json::from_str(statistics).unwrap_or(Value::Null),
        ))
    }
}

/// Words that may be names of packages, and those that follow a point.
fn words_of(nixos: &Path) -> Result<Value> {
    let mut names = BTreeSet::new();
    let mut attributes = BTreeSet::new();
    let mut folders = vec![nixos.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "nix") {
                let text = fs::read_to_string(&path);
                let text = text.with_context(|| path.display().to_string())?;
                collect(&text, &mut names, &mut attributes);
            }
        }
    }
    Ok(json!({ "names": names, "attributes": attributes }))
}

/// A word of Nix: it begins with a letter. Attributes are taken from where packages are written of.
fn collect(text: &str, names: &mut BTreeSet<String>, attributes: &mut BTreeSet<String>) {
    let is_word = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
    for path in text.split(|character: char| !is_word(character) && character != '.') {
        let words: Vec<&str> = path.split('.').collect();
        for (index, word) in words.iter().enumerate() {
            if !word.starts_with(|first: char| first.is_ascii_alphabetic()) {
                continue;
            }
            names.insert((*word).to_owned());
            let of_package = match index {
                0 => false,
                1 => ["systemd", "nix", "util-linux"].contains(&words[0]),
                _ => words[index - 2] == "pkgs",
            };
            if of_package || (index > 0 && words[index - 1].to_lowercase().ends_with("package")) {
                attributes.insert((*word).to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("modules")).unwrap();
        fs::write(folder.path().join("modules/good.nix"), "pkgs.hello").unwrap();
        let words = words_of(folder.path()).unwrap();
        assert_eq!(words["names"], json!(["hello", "pkgs"]));
        let bad = folder.path().join("modules/bad.nix");
        fs::write(&bad, b"\xff").unwrap();
        let error = words_of(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), bad.display().to_string());
    }

    #[test]
    fn words_after_packages_are_attributes() {
        let (mut names, mut attributes) = Default::default();
        let text =
            "with pkgs; [ rsync ] ++ [ cfg.package.out pkgs.perl.pkgs \"${pkgs.glibc.bin}/x\" ]";
        collect(text, &mut names, &mut attributes);
        assert!(
            ["rsync", "perl", "glibc"]
                .iter()
                .all(|name| names.contains(*name))
        );
        let expected = ["bin", "out", "pkgs"].map(str::to_owned);
        assert_eq!(attributes, BTreeSet::from(expected));
    }
}

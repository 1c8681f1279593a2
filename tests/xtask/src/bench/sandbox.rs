//! The tests of tests/bench, evaluated and built by the toolbox's Nix, with the plugin and in the sandbox.

use std::cell::{Cell, RefCell};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio, id};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, anyhow, ensure};

use crate::progress::last_lines;
use crate::toolbox::Toolbox;

/// Where the tests are, from the repository.
pub(super) const TESTS: &str = "tests/bench/tests.nix";

/// Seconds after which Nix ends a build, whatever goes on in it.
const TIMEOUT: &str = "1800";

/// Builds tests anew, and removes in the end what came out.
pub(crate) struct Sandbox {
    toolbox: Toolbox,
    /// Told what is being done.
    say: Box<dyn Fn(&str)>,
    /// Part of every salt: what an earlier run has built is not taken.
    run: String,
    /// How often something was to be new.
    fresh: Cell<u32>,
    /// What to remove.
    made: RefCell<Vec<String>>,
}

/// What makes tests differ from those that were built before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Salts {
    /// Of scripts.
    pub(super) script: String,
    /// Of machines: with a new one, they boot anew.
    pub(super) machines: String,
}

/// What came out of a `nix build`.
pub(super) struct Built {
    /// How long it took, with evaluation and all.
    pub(super) seconds: f64,
    /// The outputs, as seen from here, in the order of what was asked for.
    pub(super) results: Vec<PathBuf>,
}

impl Built {
    /// The output of a single test.
    pub(super) fn result(&self) -> Result<&Path> {
        let result = self.results.first();
        Ok(result.context("nix has built nothing")?)
    }
}

impl Sandbox {
    pub(crate) fn new(toolbox: Toolbox, say: impl Fn(&str) + 'static) -> Result<Self> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.context("the clock is wrong")?.as_secs();
        let sandbox = Self {
            toolbox,
            say: Box::new(say),
            run: format!("{now}-{}", id()),
            fresh: Cell::new(0),
            made: RefCell::default(),
        };
        fs::create_dir_all(sandbox.logs()).context("cannot make the folder of the logs")?;
        Ok(sandbox)
    }

    pub(super) fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// Salts that nothing was built with.
    pub(super) fn fresh(&self) -> Salts {
        let fresh = self.fresh_name();
        Salts {
            script: fresh.clone(),
            machines: fresh,
        }
    }

    /// Another script for the same machines.
    pub(super) fn edited(&self, salts: &Salts) -> Salts {
        Salts {
            script: self.fresh_name(),
            machines: salts.machines.clone(),
        }
    }

    fn fresh_name(&self) -> String {
        self.fresh.set(self.fresh.get() + 1);
        format!("{}-{}", self.run, self.fresh.get())
    }

    /// How many seconds the evaluation of a test takes.
    pub(super) fn evaluate(&self, test: &str, salts: &Salts) -> Result<f64> {
        let log = self.logs().join(format!("{test}-evaluation.log"));
        let attribute = format!("{test}.drvPath");
        let options = ["eval", "--raw", "--file", TESTS, &attribute];
        Ok(self.nix(test, &options, salts, &log)?.0)
    }

    /// Builds tests, or other attributes of tests.nix.
    pub(super) fn build(&self, attributes: &[&str], salts: &Salts) -> Result<Built> {
        let (first, more) = attributes
            .split_first()
            .context("there is nothing to build")?;
        let what = match more {
            [] => (*first).to_owned(),
            more => format!("{first} and {} more", more.len()),
        };
        (self.say)(&format!("building {what}"));
        let log = self.logs().join(format!("{first}.log"));
        let mut options = vec!["build", "-L", "--no-link", "--print-out-paths"];
        options.extend(["--timeout", TIMEOUT, "--file", TESTS]);
        options.extend(attributes);
        let (seconds, printed) = self.nix(&what, &options, salts, &log)?;
        let paths: Vec<_> = printed.lines().map(str::to_owned).collect();
        let results = paths.iter().map(|path| self.toolbox.outside(path));
        let results: Vec<_> = results.collect();
        ensure!(
            results.len() == attributes.len(),
            "nix printed {} paths for {} tests",
            results.len(),
            attributes.len()
        );
        self.made.borrow_mut().extend(paths);
        Ok(Built { seconds, results })
    }

    /// Runs `nix` on the tests; returns how long it took, and what it printed.
    fn nix(
        &self,
        what: &str,
        options: &[&str],
        salts: &Salts,
        log: &Path,
    ) -> Result<(f64, String)> {
        let tools = format!("import {}", self.toolbox.tools_nix().display());
        let mut program = vec!["nix"];
        program.extend(options);
        program.extend(["--arg", "tools", &tools]);
        program.extend(["--argstr", "salt", &salts.script]);
        program.extend(["--argstr", "bootSalt", &salts.machines]);
        let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = self.inside(&program);
        command.stdin(Stdio::null()).stderr(file);
        let start = Instant::now();
        let output = command.output().context("cannot enter the toolbox")?;
        let seconds = start.elapsed().as_secs_f64();
        if !output.status.success() {
            let details = anyhow!("{} ends with\n{}", log.display(), last_lines(log, 20));
            let (verb, status) = (options.first().unwrap_or(&""), output.status);
            return Err(details.context(format!("`nix {verb}` of {what} failed ({status})")));
        }
        Ok((
            seconds,
            String::from_utf8_lossy(&output.stdout).into_owned(),
        ))
    }

    /// A program of the toolbox, in the repository.
    pub(super) fn inside(&self, program: &[&str]) -> Command {
        self.toolbox.enter(program, self.toolbox.repository(), true)
    }

    /// Where output of programs goes.
    pub(super) fn logs(&self) -> PathBuf {
        self.toolbox.clone_dir().join("bench")
    }
}

impl Drop for Sandbox {
    /// Removes what was built: nobody builds it again, since its salt is of this run.
    fn drop(&mut self) {
        let mut paths = self.made.take();
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            return;
        }
        let program = ["nix", "store", "delete"].into_iter();
        let program: Vec<_> = program.chain(paths.iter().map(String::as_str)).collect();
        let deleted = self.inside(&program).stdin(Stdio::null()).output();
        if !deleted.is_ok_and(|output| output.status.success()) {
            (self.say)("some results are left in the store, for its garbage collector");
        }
    }
}

/// The command that gives a figure, as one types it.
pub(super) fn shown(attributes: &[&str]) -> String {
    format!("nix build --file {TESTS} {}", attributes.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_changes_the_script_and_not_the_machines() {
        let sandbox = Sandbox {
            toolbox: Toolbox::find().unwrap(),
            say: Box::new(|_| ()),
            run: "7".to_owned(),
            fresh: Cell::new(0),
            made: RefCell::default(),
        };
        let first = sandbox.fresh();
        let edited = sandbox.edited(&first);
        assert_eq!(edited.machines, first.machines);
        assert_ne!(edited.script, first.script);
        assert_ne!(sandbox.fresh().machines, first.machines);
    }

    #[test]
    fn commands_are_shown_as_they_are_typed() {
        assert_eq!(
            shown(&["a", "b"]),
            "nix build --file tests/bench/tests.nix a b"
        );
    }
}

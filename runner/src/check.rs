//! Test scripts before anything is built: `vmtest check`, what the plugin for Nix asks, and the first act of a test.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use vmtest_check::finding::any_error;
use vmtest_check::place::{Origin, Place};
use vmtest_check::render::{self, Source};
use vmtest_check::{Finding, Machine, Severity, Stub};
use vmtest_manifest::Snapshot;
use vmtest_script::{Patterns, api, python_folders, variable_name};

use crate::spec;

/// What scripts are called where nothing better is known: as the arguments that they come from.
pub const TEST_SCRIPT: &str = "testScript";
/// The same for the script that brings machines to where they are saved.
pub const PREPARE: &str = "prepare";

/// A test, as far as its scripts are concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// Its machines by name.
    pub machines: BTreeMap<String, Kind>,
    /// The numbers of its VLANs; all that scripts speak of are there where they are not known.
    pub vlans: Option<Vec<u32>>,
    /// Whether scripts may read screens.
    #[serde(rename = "enableOCR")]
    pub ocr: bool,
    /// Where scripts find more modules: folders of them, or prefixes with a `lib/python3.*/site-packages`.
    pub extra_python_packages: Vec<PathBuf>,
    /// Whether types are not looked at.
    pub skip_type_check: bool,
    /// Whether nothing but syntax and types is looked at.
    pub skip_lint: bool,
    /// Names of rules that are not followed.
    pub ignored_rules: Vec<String>,
}

/// What a machine is, as far as is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kind {
    /// Whether a start script of its own runs it.
    pub start_script: Option<bool>,
}

impl Subject {
    /// What is known when the test is about to be run: everything.
    #[must_use]
    pub fn of(test: &spec::Test) -> Self {
        let planned = test.machines.iter().map(|machine| (&machine.name, false));
        let scripted = test.start_scripts.iter().map(|script| (&script.name, true));
        let kind = |(name, start_script): (&String, bool)| {
            let start_script = Some(start_script);
            (name.clone(), Kind { start_script })
        };
        Self {
            machines: planned.chain(scripted).map(kind).collect(),
            vlans: Some(test.vlans().into_iter().map(u32::from).collect()),
            ocr: test.tools.tesseract.is_some(),
            extra_python_packages: test.python_path.clone(),
            skip_type_check: test.check.skip_types,
            skip_lint: test.check.skip_lint,
            ignored_rules: test.check.ignored.clone(),
        }
    }

    /// Checks one script.
    ///
    /// # Errors
    /// When the type checker cannot be set up.
    pub fn check(&self, script: &str) -> Result<Vec<Finding>> {
        let machines: Vec<Machine> = self
            .machines
            .iter()
            .map(|(name, kind)| Machine {
                name: name.clone(),
                variable: variable_name(name),
                has_start_script: kind.start_script == Some(true),
            })
            .collect();
        let variables: Vec<&str> = machines
            .iter()
            .map(|machine| machine.variable.as_str())
            .collect();
        let vlans = self.vlans.clone().unwrap_or_else(|| spoken_of(script));
        let stubs = api::stub_files(&variables, &vlans);
        let patterns = Patterns::default();
        let test = vmtest_check::Test {
            stubs: stubs
                .into_iter()
                .map(|(path, text)| Stub { path, text })
                .collect(),
            machines,
            ocr: self.ocr,
            python_path: self
                .extra_python_packages
                .iter()
                .flat_map(|folder| python_folders(folder))
                .collect(),
            skip_types: self.skip_type_check,
            skip_lint: self.skip_lint,
            ignored: self.ignored_rules.clone(),
            compile: &|pattern| patterns.compile(pattern),
            unavailable: vmtest_script::UNAVAILABLE_MODULES,
        };
        Ok(vmtest_check::check(script, &test)?)
    }
}

/// The numbers of the VLANs that a script has the variables of.
fn spoken_of(script: &str) -> Vec<u32> {
    let after = script.split("vlan").skip(1);
    after
        .filter_map(|text| {
            let digits = text.find(|character: char| !character.is_ascii_digit());
            text[..digits.unwrap_or(text.len())].parse().ok()
        })
        .collect()
}

/// What the plugin for Nix asks: whether the scripts of a test that is being evaluated are right.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Request {
    /// The scripts by the names of their options.
    scripts: BTreeMap<String, Asked>,
    /// The test.
    test: Subject,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Asked {
    text: String,
    /// Where Nix says it was written.
    file: Option<String>,
    line: Option<usize>,
}

/// The answer; texts are for people.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// What keeps the test from being run.
    pub errors: Option<String>,
    /// What people should look at.
    pub warnings: Option<String>,
}

impl Request {
    /// Reads the text of a request.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).context("bad request")
    }

    /// Checks all of its scripts.
    ///
    /// # Errors
    /// When the type checker cannot be set up.
    pub fn answer(&self) -> Result<Answer> {
        let mut texts = Texts::default();
        for (option, asked) in &self.scripts {
            let origin = asked.file.clone().map(|file| Origin {
                file,
                line: asked.line,
            });
            let place = origin
                .as_ref()
                .and_then(|origin| locate(origin, &asked.text));
            let source = Source {
                name: option,
                text: &asked.text,
                place: place.as_ref(),
            };
            let findings = self.test.check(&asked.text)?;
            let before = (texts.errors.len(), texts.warnings.len());
            texts.add(&findings, &source);
            // Where lines are not known, the option's place is better than nothing.
            if let (None, Some(origin)) = (&place, &origin) {
                texts.add_origin(before, option, origin);
            }
        }
        Ok(texts.into())
    }
}

fn locate(origin: &Origin, script: &str) -> Option<Place> {
    origin.locate(&fs::read_to_string(&origin.file).ok()?, script)
}

/// Findings as texts.
#[derive(Default)]
struct Texts {
    errors: String,
    warnings: String,
}

impl Texts {
    fn add(&mut self, findings: &[Finding], source: &Source) {
        for (text, severity) in [
            (&mut self.errors, Severity::Error),
            (&mut self.warnings, Severity::Warning),
        ] {
            let these: Vec<Finding> = findings
                .iter()
                .filter(|finding| finding.rule.severity == severity)
                .cloned()
                .collect();
            if !these.is_empty() {
                let _ = writeln!(text, "{}", render::text(&these, source, false));
            }
        }
    }

    /// Says where an option was written, below what was added to `before`.
    fn add_origin(&mut self, before: (usize, usize), option: &str, origin: &Origin) {
        let place = match origin.line {
            Some(line) => format!("{}:{line}", origin.file),
            None => origin.file.clone(),
        };
        for (text, before) in [(&mut self.errors, before.0), (&mut self.warnings, before.1)] {
            if text.len() > before {
                let _ = writeln!(text, "({option} is defined at {place})");
            }
        }
    }
}

impl From<Texts> for Answer {
    fn from(texts: Texts) -> Self {
        let some = |text: String| (!text.is_empty()).then(|| text.trim_end().to_owned());
        Self {
            errors: some(texts.errors),
            warnings: some(texts.warnings),
        }
    }
}

/// What the scripts of a test are found to do wrong, when it is about to be run.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What keeps the test from being run.
    pub errors: Option<String>,
    /// What people should look at.
    pub warnings: Option<String>,
    /// The first error: its script, and the line and column there, from 1.
    pub place: Option<(&'static str, usize, usize)>,
}

/// Checks the scripts of a test that is about to be run.
///
/// # Errors
/// When the type checker cannot be set up.
pub fn test(test: &spec::Test) -> Result<Verdict> {
    let subject = Subject::of(test);
    let mut texts = Texts::default();
    let mut place = None;
    let name = match &test.snapshot {
        // What prepares the machines is all that such a test does.
        Some(Snapshot::Save(_)) => PREPARE,
        _ => TEST_SCRIPT,
    };
    let scripts = [
        (PREPARE, test.prepare()),
        (name, Some(test.script.as_str())),
    ];
    for (name, script) in scripts {
        let Some(text) = script.filter(|text| !text.trim().is_empty()) else {
            continue;
        };
        let findings = subject.check(text)?;
        let source = Source {
            name,
            text,
            place: None,
        };
        texts.add(&findings, &source);
        let first = findings
            .iter()
            .find(|finding| finding.rule.severity == Severity::Error);
        if let (None, Some(first)) = (place, first) {
            let (line, column) = Finding::position(text, first.range.start);
            place = Some((name, line, column));
        }
    }
    let Answer { errors, warnings } = texts.into();
    Ok(Verdict {
        errors,
        warnings,
        place,
    })
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// JSON.
    Json,
    /// The Static Analysis Results Interchange Format.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
}

/// A script that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is to be printed.
    pub text: String,
    /// Whether there are errors.
    pub errors: bool,
    /// Whether there are warnings.
    pub warnings: bool,
}

/// Checks the script in a file, or in the standard input if that is called `-`.
///
/// # Errors
/// When the file cannot be read, or the type checker cannot be set up.
pub fn file(path: &Path, subject: &Subject, format: Format, colours: bool) -> Result<Checked> {
    let name = path.display().to_string();
    let text = if name == "-" {
        std::io::read_to_string(std::io::stdin())
    } else {
        fs::read_to_string(path)
    };
    let text = text.with_context(|| name.clone())?;
    let findings = subject.check(&text)?;
    let source = Source {
        name: &name,
        text: &text,
        place: None,
    };
    let shown = match format {
        Format::Text if findings.is_empty() => String::new(),
        Format::Text => render::text(&findings, &source, colours) + "\n",
        Format::Json => render::json(&findings, &source),
        Format::Sarif => render::sarif(&findings, &source),
        Format::Github => render::github(&findings, &source),
    };
    Ok(Checked {
        text: shown,
        errors: any_error(&findings),
        warnings: findings
            .iter()
            .any(|finding| finding.rule.severity == Severity::Warning),
    })
}

/// Writes the stubs of a test into a folder, for editors.
///
/// # Errors
/// When they cannot be written.
pub fn write_stubs(folder: &Path, machines: &[String], vlans: &[u32]) -> Result<()> {
    let variables: Vec<String> = machines.iter().map(|name| variable_name(name)).collect();
    let variables: Vec<&str> = variables.iter().map(String::as_str).collect();
    for (path, text) in api::stub_files(&variables, vlans) {
        let file = folder.join(path);
        let write = || {
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&file, text)
        };
        write().with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// How long it is remembered that a script is right.
const MEMORY: Duration = Duration::from_secs(90 * 24 * 3600);

/// Makes a file that says so to later evaluations, and removes those of its kind that are old.
///
/// # Errors
/// When the file cannot be made.
pub fn remember(file: &Path) -> std::io::Result<()> {
    let Some(folder) = file.parent() else {
        return Ok(());
    };
    fs::create_dir_all(folder)?;
    fs::write(file, "")?;
    for entry in fs::read_dir(folder)?.flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|time| time.elapsed().ok());
        if age.is_some_and(|age| age > MEMORY) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

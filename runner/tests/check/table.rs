//! Scripts in files. What is to be found in one stands in its first lines:
//!
//! ```python
//! # machines: server, client
//! # option: enableOCR
//! # scripted: server
//! # expect: 5:8 error unresolved-attribute did you mean `succeed`
//! ```
//!
//! Without `machines` there is one, called `machine`. An expectation has line, column, severity and rule, and may have a part
//! of the message. A file gives what it expects, and nothing else.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use vmtest::check::{Kind, Subject};
use vmtest_check::Finding;

/// How many scripts there are at least.
const LEAST: usize = 60;

#[derive(Debug, Default)]
struct Case {
    subject: Subject,
    expected: Vec<Expected>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Expected {
    line: usize,
    column: usize,
    severity: String,
    rule: String,
    part: String,
}

impl Case {
    fn of(text: &str) -> Self {
        let mut case = Self::default();
        let mut scripted = Vec::new();
        for line in text.lines() {
            let Some((directive, value)) = line
                .strip_prefix("# ")
                .and_then(|line| line.split_once(": "))
            else {
                break;
            };
            let names = || value.split(',').map(|name| name.trim().to_owned());
            match directive {
                "machines" => case
                    .subject
                    .machines
                    .extend(names().map(|name| (name, Kind::default()))),
                "scripted" => scripted.extend(names()),
                "option" => match value.trim() {
                    "enableOCR" => case.subject.ocr = true,
                    "skipTypeCheck" => case.subject.skip_type_check = true,
                    "skipLint" => case.subject.skip_lint = true,
                    other => panic!("unknown option {other}"),
                },
                "ignored" => case.subject.ignored_rules.extend(names()),
                "expect" => case.expected.push(Expected::of(value)),
                _ => break,
            }
        }
        if case.subject.machines.is_empty() && scripted.is_empty() {
            case.subject
                .machines
                .insert("machine".to_owned(), Kind::default());
        }
        case.subject.vlans = Some(vec![1]);
        let kind = Kind {
            start_script: Some(true),
        };
        case.subject
            .machines
            .extend(scripted.into_iter().map(|name| (name, kind)));
        case.expected.sort();
        case
    }
}

impl Expected {
    fn of(text: &str) -> Self {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().unwrap_or_default().trim();
        let (place, severity, rule, part) = (word(), word(), word(), word());
        let (line, column) = place.split_once(':').expect("line and column");
        let number = |text: &str| {
            text.parse()
                .unwrap_or_else(|_| panic!("not a number: {text}"))
        };
        Self {
            line: number(line),
            column: number(column),
            severity: severity.to_owned(),
            rule: rule.to_owned(),
            part: part.to_owned(),
        }
    }

    fn is_met(&self, text: &str, finding: &Finding) -> bool {
        let help = finding.help.as_deref().unwrap_or_default();
        Finding::position(text, finding.range.start) == (self.line, self.column)
            && finding.rule.severity.as_str() == self.severity
            && finding.rule.name == self.rule
            && format!("{} {help}", finding.message).contains(&self.part)
    }
}

fn show(text: &str, finding: &Finding) -> String {
    let (line, column) = Finding::position(text, finding.range.start);
    let help = finding.help.as_deref().unwrap_or_default();
    let (rule, severity) = (finding.rule.name, finding.rule.severity.as_str());
    format!(
        "{line}:{column} {severity} {rule} {} {help}",
        finding.message
    )
}

fn scripts(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/check/scripts")
        .join(kind);
    let entries = fs::read_dir(&folder).expect("folder of scripts");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("entry").path()).collect();
    files.sort();
    assert!(
        files.len() >= LEAST,
        "{} scripts in {}",
        files.len(),
        folder.display()
    );
    files
}

/// What differs between what files expect and what is found.
fn differences(files: &[PathBuf]) -> String {
    let mut report = String::new();
    for file in files {
        let text = fs::read_to_string(file).expect("script");
        let case = Case::of(&text);
        let findings = case.subject.check(&text).expect("a check");
        let mut missing: Vec<&Expected> = case.expected.iter().collect();
        let mut surplus = Vec::new();
        for finding in &findings {
            match missing
                .iter()
                .position(|expected| expected.is_met(&text, finding))
            {
                Some(index) => drop(missing.remove(index)),
                None => surplus.push(finding),
            }
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        for expected in missing {
            let Expected {
                line,
                column,
                severity,
                rule,
                part,
            } = expected;
            let _ = writeln!(
                report,
                "{name}: missing {line}:{column} {severity} {rule} {part}"
            );
        }
        for finding in surplus {
            let _ = writeln!(report, "{name}: found {}", show(&text, finding));
        }
    }
    report
}

#[test]
fn wrong_scripts_are_found_out() {
    let files = scripts("wrong");
    for file in &files {
        let text = fs::read_to_string(file).expect("script");
        assert!(
            !Case::of(&text).expected.is_empty(),
            "{} expects nothing",
            file.display()
        );
    }
    assert_eq!(differences(&files), "");
}

#[test]
fn right_scripts_are_left_alone() {
    let files = scripts("right");
    for file in &files {
        let text = fs::read_to_string(file).expect("script");
        assert!(
            Case::of(&text).expected.is_empty(),
            "{} expects something",
            file.display()
        );
    }
    assert_eq!(differences(&files), "");
}

/// Every rule of this project has a script that breaks it, and a page.
#[test]
fn every_rule_is_broken_by_a_script() {
    let files = scripts("wrong");
    let broken: Vec<String> = files
        .iter()
        .flat_map(|file| Case::of(&fs::read_to_string(file).expect("script")).expected)
        .map(|expected| expected.rule)
        .collect();
    for rule in vmtest_check::rules::ours() {
        assert!(broken.iter().any(|name| name == rule.name), "{}", rule.name);
    }
    for rule in vmtest_check::rules::all() {
        assert!(rule.page().len() > 100, "{} has no page", rule.name);
    }
}

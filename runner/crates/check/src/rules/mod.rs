//! What can be found, by name. Each rule has a page: those of this crate beside this file, those of `ty` within it.

use std::collections::HashSet;
use std::sync::LazyLock;

use ty_python_semantic::default_lint_registry;
use ty_python_semantic::lint::{Level, LintSource, RuleSelection};

use crate::Severity;

/// Something that a script can be found to do wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as comments and options have it.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is a matter of.
    pub kind: Kind,
    /// What it finds, in one line.
    pub summary: &'static str,
    page: Page,
}

/// What a rule is a matter of: what `skipTypeCheck` and `skipLint` leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The script is no Python. Nothing leaves this out, and no comment silences it.
    Syntax,
    /// A name that is not defined: found by the linter and the type checker of the NixOS test driver alike.
    Names,
    /// Types do not fit.
    Types,
    /// Anything else.
    Lint,
}

#[derive(Debug, PartialEq, Eq)]
enum Page {
    Ours(&'static str),
    /// That of ty's rule of the same name.
    Ty,
}

macro_rules! rules {
    ($($constant:ident $name:literal $severity:ident $kind:ident $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub(crate) static $constant: Rule = Rule {
                name: $name,
                severity: Severity::$severity,
                kind: Kind::$kind,
                summary: $summary,
                page: Page::Ours(include_str!(concat!($name, ".md"))),
            };
        )*

        /// The rules that are not ty's.
        const OURS: &[&Rule] = &[$(&$constant),*];
    };
}

rules! {
    INVALID_SYNTAX "invalid-syntax" Error Syntax "the script is not Python";
    UNKNOWN_MACHINE "unknown-machine" Error Names "a machine that the test does not have";
    ASSERT_ON_TUPLE "assert-on-tuple" Error Lint "an assertion that cannot fail, since it is about a tuple";
    INVALID_REGEX "invalid-regex" Error Lint "a regular expression that does not compile";
    OCR_NOT_ENABLED "ocr-not-enabled" Error Lint "a screen is read in a test without `enableOCR`";
    UNAVAILABLE_MODULE "unavailable-module" Error Lint "a module that the script's interpreter does not have";
    WRONG_MACHINE_KIND "wrong-machine-kind" Error Lint "a machine is asked for what its kind cannot do";
    IGNORED_STATUS "ignored-status" Warning Lint "the exit status of `execute` is looked at by nobody";
    SHELL_SYNTAX "shell-syntax" Warning Lint "a command that the shell cannot parse";
    UNIT_WITHOUT_SUFFIX "unit-without-suffix" Warning Lint "a unit's name without the suffix that is meant, or with a misspelt one";
    UNREACHABLE_CODE "unreachable-code" Warning Lint "a statement that is never reached";
}

/// Rules of ty that find what is no mistake in a test script. Each has an example among the scripts that are right.
const NOT_FOLLOWED: &[&str] = &["invalid-method-override"];

/// Rules of ty that warn, though ty leaves them out or finds them worse.
const WARNED_OF: &[&str] = &["possibly-missing-submodule", "unused-awaitable"];

/// What ty checks for.
pub(crate) fn selection() -> RuleSelection {
    let registry = default_lint_registry();
    let mut selection = RuleSelection::from_registry(registry);
    for lint in registry.lints() {
        let name = lint.name().as_str();
        let is_followed = lint.default_level() == Level::Error && !NOT_FOLLOWED.contains(&name);
        if is_followed || WARNED_OF.contains(&name) {
            selection.enable(
                *lint,
                ruff_db::diagnostic::Severity::Error,
                LintSource::Default,
            );
        } else {
            selection.disable(*lint);
        }
    }
    selection
}

static ALL: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let followed: HashSet<_> = selection().enabled().collect();
    let known = default_lint_registry().lints().iter();
    let mut rules: Vec<Rule> = known
        .filter(|lint| followed.contains(*lint))
        .map(|lint| {
            let name = lint.name().as_str();
            Rule {
                name,
                severity: if WARNED_OF.contains(&name) {
                    Severity::Warning
                } else {
                    Severity::Error
                },
                kind: match name {
                    "unresolved-reference" => Kind::Names,
                    _ => Kind::Types,
                },
                summary: lint.summary(),
                page: Page::Ty,
            }
        })
        .collect();
    rules.sort_unstable_by_key(|rule| rule.name);
    rules
});

/// The rule of ty that has this name, if it is followed.
pub(crate) fn of_ty(name: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.name == name)
}

/// The rules of this crate.
pub fn ours() -> impl Iterator<Item = &'static Rule> {
    OURS.iter().copied()
}

/// All rules: those of this crate, then those of ty by name.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    ours().chain(ALL.iter())
}

/// The rule of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == name)
}

impl Rule {
    /// Its page, in Markdown.
    #[must_use]
    pub fn page(&self) -> String {
        let body = match self.page {
            Page::Ours(text) => text.trim().to_owned(),
            Page::Ty => {
                let registry = default_lint_registry();
                let lint = registry
                    .lints()
                    .iter()
                    .find(|lint| lint.name().as_str() == self.name);
                lint.map(|lint| lint.documentation().trim().to_owned())
                    .unwrap_or_default()
            }
        };
        let (name, severity) = (self.name, self.severity.as_str());
        format!("# {name} ({severity})\n\n{body}\n")
    }
}

//! What is wrong with a script, and where.

use std::ops::Range;

use serde::Serialize;

use crate::rules::Rule;

/// Something that is wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is an offence against.
    pub rule: &'static Rule,
    /// Bytes of the script.
    pub range: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What was probably meant, or what to do.
    pub help: Option<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The script is told of, and runs.
    Warning,
    /// The script would fail; the test is not run.
    Error,
}

impl Severity {
    /// In lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl Finding {
    /// Something that is wrong, with nothing more to say.
    pub(crate) fn new(rule: &'static Rule, range: Range<usize>, message: String) -> Self {
        Self {
            rule,
            range,
            message,
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line and column of a place in a text, both from 1; columns are characters.
    #[must_use]
    pub fn position(text: &str, offset: usize) -> (usize, usize) {
        let before = &text[..offset.min(text.len())];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before[start..].chars().count() + 1)
    }
}

/// Whether any of them keeps the test from being run.
#[must_use]
pub fn any_error(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.rule.severity == Severity::Error)
}

//! Findings for programs.

use serde::Serialize;

use super::Source;
use crate::{Finding, Severity};

/// The version of the form; it grows when something that was there changes its name or meaning.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    version: u32,
    findings: Vec<Entry<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    rule: &'a str,
    severity: Severity,
    message: &'a str,
    help: Option<&'a str>,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

/// All findings. Lines and columns count from 1, columns are characters, and the end is that of the character behind.
#[must_use]
pub fn json(findings: &[Finding], source: &Source) -> String {
    let findings = findings.iter().map(|finding| {
        let region = source.region(finding);
        Entry {
            rule: finding.rule.name,
            severity: finding.rule.severity,
            message: &finding.message,
            help: finding.help.as_deref(),
            file: source.file(),
            line: region.line,
            column: region.column,
            end_line: region.end_line,
            end_column: region.end_column,
        }
    });
    let document = Document {
        version: VERSION,
        findings: findings.collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    text.unwrap_or_default() + "\n"
}

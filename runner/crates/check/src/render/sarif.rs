//! Findings in the Static Analysis Results Interchange Format, version 2.1.0
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Source;
use crate::Finding;
use crate::rules::Rule;

/// One run with all findings, and the rules that they are about.
#[must_use]
pub fn sarif(findings: &[Finding], source: &Source) -> String {
    let rules: BTreeMap<&str, &Rule> = findings
        .iter()
        .map(|finding| (finding.rule.name, finding.rule))
        .collect();
    let results: Vec<Value> = findings
        .iter()
        .map(|finding| result(finding, source))
        .collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": "vmtest",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.values().map(|rule| described(rule)).collect::<Vec<_>>(),
                },
            },
            // Columns are characters.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.name,
        "shortDescription": { "text": rule.summary },
        "help": { "text": rule.page(), "markdown": rule.page() },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(finding: &Finding, source: &Source) -> Value {
    let region = source.region(finding);
    let message = match &finding.help {
        Some(help) => format!("{} ({help})", finding.message),
        None => finding.message.clone(),
    };
    json!({
        "ruleId": finding.rule.name,
        "level": finding.rule.severity.as_str(),
        "message": { "text": message },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": source.file() },
                "region": {
                    "startLine": region.line,
                    "startColumn": region.column,
                    "endLine": region.end_line,
                    "endColumn": region.end_column,
                },
            },
        }],
    })
}

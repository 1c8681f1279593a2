//! Findings as annotations of GitHub's workflows
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use std::fmt::Write as _;

use super::Source;
use crate::Finding;

/// A line for each finding.
#[must_use]
pub fn github(findings: &[Finding], source: &Source) -> String {
    let mut text = String::new();
    for finding in findings {
        let region = source.region(finding);
        let mut message = finding.message.clone();
        if let Some(help) = &finding.help {
            let _ = write!(message, " ({help})");
        }
        let _ = writeln!(
            text,
            "::{} title={},file={},line={},col={},endLine={},endColumn={}::{}",
            finding.rule.severity.as_str(),
            property(finding.rule.name),
            property(source.file()),
            region.line,
            region.column,
            region.end_line,
            region.end_column,
            data(&message),
        );
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

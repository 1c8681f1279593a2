//! Findings for people: the line with a mark below it.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::Source;
use crate::{Finding, Severity};

/// At most so many findings are shown.
const MOST: usize = 10;

/// The first findings as text, and how many more there are.
#[must_use]
pub fn text(findings: &[Finding], source: &Source, colours: bool) -> String {
    let renderer = if colours {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let shown = findings.iter().take(MOST);
    let mut texts: Vec<String> = shown
        .map(|finding| renderer.render(&[group(finding, source)]))
        .collect();
    if findings.len() > MOST {
        texts.push(format!("… and {} more", findings.len() - MOST));
    }
    texts.join("\n\n")
}

fn group<'a>(finding: &'a Finding, source: &'a Source<'a>) -> Group<'a> {
    let level = match finding.rule.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let first_line = source.place.map_or(1, |place| place.first_line);
    let range = trimmed(source.text, finding);
    let snippet = Snippet::source(source.text)
        .line_start(first_line)
        .path(source.file())
        .annotation(AnnotationKind::Primary.span(range));
    let title = level.primary_title(&*finding.message).id(finding.rule.name);
    let group = Group::with_title(title).element(snippet);
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(&**help)),
        None => group,
    }
}

/// What is marked: of a statement that has many lines, the first.
fn trimmed(text: &str, finding: &Finding) -> std::ops::Range<usize> {
    let range = finding.range.start.min(text.len())..finding.range.end.min(text.len());
    match text[range.clone()].find('\n') {
        Some(0) | None => range,
        Some(end) => range.start..range.start + end,
    }
}

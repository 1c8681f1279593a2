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
    let laid_out = LaidOut::new(source);
    let shown = findings.iter().take(MOST);
    let mut texts: Vec<String> = shown
        .map(|finding| renderer.render(&[laid_out.group(finding)]))
        .collect();
    if findings.len() > MOST {
        texts.push(format!("… and {} more", findings.len() - MOST));
    }
    texts.join("\n\n")
}

/// A script as it stands in its file: indented.
struct LaidOut<'a> {
    source: &'a Source<'a>,
    text: String,
    indentation: usize,
}

impl<'a> LaidOut<'a> {
    fn new(source: &'a Source<'a>) -> Self {
        let indentation = source.place.map_or(0, |place| place.indentation);
        let margin = " ".repeat(indentation);
        Self {
            source,
            text: margin.clone() + &source.text.replace('\n', &format!("\n{margin}")),
            indentation,
        }
    }

    fn group(&'a self, finding: &'a Finding) -> Group<'a> {
        let level = match finding.rule.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let snippet = Snippet::source(self.text.as_str())
            .line_start(self.source.place.map_or(1, |place| place.first_line))
            .path(self.source.file())
            .annotation(AnnotationKind::Primary.span(self.marked(finding)));
        let title = level.primary_title(&*finding.message).id(finding.rule.name);
        let group = Group::with_title(title).element(snippet);
        match &finding.help {
            Some(help) => group.element(Level::HELP.message(&**help)),
            None => group,
        }
    }

    /// What is marked: of a statement that has many lines, the first.
    fn marked(&self, finding: &Finding) -> std::ops::Range<usize> {
        let (start, end) = (
            self.moved(finding.range.start),
            self.moved(finding.range.end),
        );
        match self.text[start..end].find('\n') {
            None => start..end,
            Some(newline) => start..start + newline,
        }
    }

    /// Where a byte of the script lies.
    fn moved(&self, offset: usize) -> usize {
        let before = &self.source.text[..offset.min(self.source.text.len())];
        let lines = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        before.len() + self.indentation * lines
    }
}

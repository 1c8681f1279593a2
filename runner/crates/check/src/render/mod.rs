//! Findings as text for people, and in the forms that programs read.

mod github;
mod json;
mod sarif;
mod text;

use crate::Finding;
use crate::place::Place;

pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use text::text;

/// A script, and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Its name: a file, or the option that it is the value of.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Where it stands in a Nix file, if that is known.
    pub place: Option<&'a Place>,
}

/// A range of lines and columns, both from 1; columns are characters, and the end is that of the character behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Region {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

impl Source<'_> {
    /// The file that people open to mend a finding.
    fn file(&self) -> &str {
        self.place.map_or(self.name, |place| &place.file)
    }

    /// Where it lies in that file.
    fn region(&self, finding: &Finding) -> Region {
        let (line, column) = Finding::position(self.text, finding.range.start);
        let (end_line, end_column) = Finding::position(self.text, finding.range.end);
        let (lines, columns) = self
            .place
            .map_or((0, 0), |place| (place.first_line - 1, place.indentation));
        Region {
            line: line + lines,
            column: column + columns,
            end_line: end_line + lines,
            end_column: end_column + columns,
        }
    }
}

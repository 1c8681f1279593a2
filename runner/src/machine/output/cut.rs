//! Output of a command cut into lines, long ones short.

use crate::machine::console::clean::Cleaner;

/// Most bytes of a line that are shown.
const LONGEST_LINE: usize = 2000;

/// A line that has no end yet.
#[derive(Debug, Default)]
pub(super) struct Line {
    kept: Vec<u8>,
    length: usize,
}

impl Line {
    /// Takes in bytes, and calls `end` at the end of every line.
    pub(super) fn push(&mut self, bytes: &[u8], mut end: impl FnMut(&mut Self)) {
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            self.append(&rest[..at]);
            end(self);
            self.clear();
            rest = &rest[at + 1..];
        }
        self.append(rest);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
        self.length = 0;
    }

    /// The line as the log shows it. Of one that was written over, such as a progress bar, that is its last state.
    pub(super) fn text(&self) -> String {
        let shown = self.kept.rsplit(|byte| *byte == b'\r');
        let shown = shown.into_iter().find(|part| !part.is_empty());
        let mut text = Cleaner::default().clean(shown.unwrap_or_default());
        if self.length > self.kept.len() {
            text.push_str(&format!("… ({} bytes)", self.length));
        }
        text
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = LONGEST_LINE - self.kept.len();
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut line = Line::default();
        for piece in pieces {
            line.push(piece.as_bytes(), |line| found.push(line.text()));
        }
        if !line.is_empty() {
            found.push(line.text());
        }
        found
    }

    #[test]
    fn lines_are_cut_whatever_the_pieces() {
        assert_eq!(
            lines(&["one\r\n\ntw", "o\n", "thr\x1b[1mee"]),
            ["one", "", "two", "three"]
        );
    }

    #[test]
    fn a_progress_bar_is_one_state() {
        assert_eq!(lines(&["10 %\r50 %\r", "100 %\r\n"]), ["100 %"]);
    }

    #[test]
    fn a_long_line_is_cut_and_says_so() {
        let (long, longest) = ("x".repeat(3000), "x".repeat(LONGEST_LINE));
        assert_eq!(
            lines(&[&long, "\n", &longest, "\nnext\n"]),
            [
                format!("{longest}… (3000 bytes)"),
                longest.clone(),
                "next".to_owned()
            ]
        );
    }
}

//! From bytes that were written for a terminal to text.

/// Leaves out terminal control sequences (ECMA-48) and control characters, which would act on the terminal of whoever
/// reads the text; lines end with a line feed alone. What is cut between two pieces, a sequence or a character, is put
/// together again. What is no UTF-8 becomes U+FFFD.
#[derive(Debug, Default)]
pub struct Cleaner {
    within: Within,
    /// The beginning of a character.
    partial: Vec<u8>,
}

/// What the next character belongs to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Within {
    #[default]
    Text,
    /// After ESC.
    Escape,
    /// After ESC and `[`.
    Control,
    /// After ESC and `]`, or one of its kind: a string that only terminals understand.
    Command,
}

impl Cleaner {
    /// The text of the next piece.
    #[must_use]
    pub fn clean(&mut self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        self.partial.extend_from_slice(bytes);
        let bytes = std::mem::take(&mut self.partial);
        let mut rest = bytes.as_slice();
        while let Some(chunk) = rest.utf8_chunks().next() {
            chunk.valid().chars().for_each(|c| self.take(c, &mut text));
            let invalid = chunk.invalid();
            rest = &rest[chunk.valid().len() + invalid.len()..];
            if invalid.is_empty() {
                continue;
            }
            let is_cut = std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if rest.is_empty() && is_cut {
                self.partial = invalid.to_vec();
            } else {
                self.take(char::REPLACEMENT_CHARACTER, &mut text);
            }
        }
        text
    }

    fn take(&mut self, c: char, text: &mut String) {
        self.within = match (self.within, c) {
            // No sequence goes over the end of a line: a cut one must not swallow the next.
            (_, '\n') => {
                text.push(c);
                Within::Text
            }
            (_, '\x1b') => Within::Escape,
            (Within::Text, _) => {
                if c == '\t' || !c.is_control() {
                    text.push(c);
                }
                Within::Text
            }
            (Within::Escape, '[') => Within::Control,
            (Within::Escape, ']' | 'P' | 'X' | '^' | '_') => Within::Command,
            (Within::Escape, ' '..='/') => Within::Escape,
            (Within::Control, '@'..='~') | (Within::Command, '\x07') | (Within::Escape, _) => {
                Within::Text
            }
            (within @ (Within::Control | Within::Command), _) => within,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clean(bytes: &[u8]) -> String {
        Cleaner::default().clean(bytes)
    }

    #[test]
    fn what_acts_on_a_terminal_is_left_out() {
        let table: [(&[u8], &str); 8] = [
            (b"one\r\ntwo\n", "one\ntwo\n"),
            (
                b"\x1b[2J\x1b[01;1H[\x1b[0;32m  OK  \x1b[0m] Started",
                "[  OK  ] Started",
            ),
            (b"\x1b]0;title\x07a\tb\x1bc\x00", "a\tb"),
            (b"\x1b]0;title\x1b\\a", "a"),
            (b"\x1b(Ba", "a"),
            (b"cut \x1b[3\nnext \x1b]0;\nlast", "cut \nnext \nlast"),
            ("ü\u{9b}✓".as_bytes(), "ü✓"),
            (b"bad \xff\xc3\x28 end", "bad \u{fffd}\u{fffd}( end"),
        ];
        for (bytes, text) in table {
            assert_eq!(clean(bytes), text);
        }
    }

    proptest! {
        /// A reader's buffer ends wherever it likes.
        #[test]
        fn pieces_do_not_matter(
            words in proptest::collection::vec(
                prop_oneof!["[a-z\\n]{0,3}", "\x1b\\[[0-9]{0,2}m", "\x1b\\][a-z]\x07", "[✓ü]"],
                0..20,
            ),
            noise in proptest::collection::vec(any::<u8>(), 0..8),
            cuts in proptest::collection::vec(0_usize..60, 0..5),
        ) {
            let bytes = [words.concat().as_bytes(), &noise].concat();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut cleaner = Cleaner::default();
            let text: String =
                cuts.windows(2).map(|cut| cleaner.clean(&bytes[cut[0]..cut[1]])).collect();
            prop_assert_eq!(text, clean(&bytes));
        }
    }
}

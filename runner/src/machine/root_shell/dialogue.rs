//! What a guest's root shell says, pure.
//!
//! ```text
//!            it announces itself             it says which boot this is
//!  Listening ───────────────────▶ Asked ──────────────────────────────▶ Listening
//!                  Ask                             Install
//! ```
//!
//! The terminal may be one that echoes what is typed, and the kernel may write on it, too: what matters is found
//! wherever it stands in a line.

use super::script::{ANSWER, COMPLAINT};

/// What a root shell for tests says when it is there; known to all guests that have one.
pub(super) const ANNOUNCEMENT: &str = "Spawning backdoor root shell...";

/// Most bytes that are kept of what is not understood yet.
const LONGEST: usize = 4096;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a new shell: ask it which boot this is.
    Ask,
    /// Bring the agent into the boot of this id.
    Install(String),
    /// The agent cannot be brought in; with the reason.
    GiveUp(String),
}

/// The runner's side of a conversation with root shells, one after the other.
#[derive(Debug, Default)]
pub(super) struct Dialogue {
    heard: Vec<u8>,
    asked: bool,
}

impl Dialogue {
    /// Takes in what the shell says.
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
    }

    /// Whether the shell owes an answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.asked
    }

    /// What is to be done next about what was heard.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        loop {
            let found = [ANNOUNCEMENT, ANSWER, COMPLAINT]
                .into_iter()
                .filter_map(|words| Some((find(&self.heard, words.as_bytes())?, words)))
                .min();
            let Some((start, words)) = found else {
                self.forget();
                return None;
            };
            self.heard.drain(..start);
            let rest = &self.heard[words.len()..];
            let end = match words {
                ANNOUNCEMENT => Some(0),
                ANSWER => rest.iter().position(|byte| *byte == b':'),
                _ => rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')),
            };
            let Some(end) = end else {
                if rest.len() < LONGEST {
                    return None;
                }
                self.heard.drain(..words.len());
                continue;
            };
            let text = String::from_utf8_lossy(&rest[..end]).into_owned();
            self.heard.drain(..words.len() + end);
            match words {
                ANNOUNCEMENT => {
                    self.asked = true;
                    return Some(Step::Ask);
                }
                ANSWER if !self.asked => {}
                ANSWER if is_id(&text) => {
                    self.asked = false;
                    return Some(Step::Install(text));
                }
                ANSWER if text.is_empty() => {
                    self.asked = false;
                    return Some(Step::GiveUp("/proc is not mounted".to_owned()));
                }
                // Something came in between; it is asked again.
                ANSWER => {}
                _ => return Some(Step::GiveUp(text)),
            }
        }
    }

    /// Keeps only what may be the beginning of something.
    fn forget(&mut self) {
        let keep = ANNOUNCEMENT.len().min(self.heard.len());
        self.heard.drain(..self.heard.len() - keep);
    }
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}

/// A boot's id goes into a command.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "3f2a8c1e-0000-4000-8000-00000000beef";

    fn steps(pieces: &[&[u8]]) -> Vec<Step> {
        let mut dialogue = Dialogue::default();
        let mut steps = Vec::new();
        for piece in pieces {
            dialogue.hear(piece);
            while let Some(step) = dialogue.next_step() {
                steps.push(step);
            }
        }
        steps
    }

    #[test]
    fn conversations() {
        let install = || Step::Install(ID.to_owned());
        let give_up = |reason: &str| Step::GiveUp(reason.to_owned());
        let answer = format!("vmtest-boot:{ID}:\r\n");
        let echo = super::super::script::question();
        let table: Vec<(&str, String, Vec<Step>)> = vec![
            (
                "as it should be",
                format!("\r\n{ANNOUNCEMENT}\r\n\r\n{answer}"),
                vec![Step::Ask, install()],
            ),
            (
                "the terminal echoes",
                format!("{ANNOUNCEMENT}\r\n{echo}\r\n{answer}"),
                vec![Step::Ask, install()],
            ),
            (
                "the kernel speaks in between",
                format!("[ 1.0] a: b{ANNOUNCEMENT}[ 1.1] c: d\nvmtest-boot:{ID}:[ 1.2]"),
                vec![Step::Ask, install()],
            ),
            (
                "the kernel spoils an answer, and another comes",
                format!("{ANNOUNCEMENT}vmtest-boot:3f2a[ 1.2] x: y\n{answer}"),
                vec![Step::Ask, install()],
            ),
            (
                "two answers to one question asked twice",
                format!("{ANNOUNCEMENT}{answer}{answer}"),
                vec![Step::Ask, install()],
            ),
            ("an answer to nothing", answer.clone(), vec![]),
            (
                "a reboot before the answer",
                format!("{ANNOUNCEMENT}vmtest-bo{ANNOUNCEMENT}{answer}"),
                vec![Step::Ask, Step::Ask, install()],
            ),
            (
                "no /proc",
                format!("{ANNOUNCEMENT}vmtest-boot::\n"),
                vec![Step::Ask, give_up("/proc is not mounted")],
            ),
            (
                "a complaint",
                "vmtest-agent: there is no port.\r\n# ".to_owned(),
                vec![give_up("there is no port.")],
            ),
            (
                "a complaint without an end",
                "vmtest-agent: there is".to_owned(),
                vec![],
            ),
        ];
        for (story, text, expected) in table {
            assert_eq!(steps(&[text.as_bytes()]), expected, "{story}");
            let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
            assert_eq!(steps(&bytes), expected, "{story}, byte by byte");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_heard_is_not_kept(noise in proptest::collection::vec(any::<u8>(), 0..20_000)) {
            let mut dialogue = Dialogue::default();
            for piece in noise.chunks(100) {
                dialogue.hear(piece);
                while dialogue.next_step().is_some() {}
                prop_assert!(dialogue.heard.len() <= LONGEST + COMPLAINT.len() + 100);
            }
        }
    }
}

//! What a console has shown, kept for scripts that look for something in it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Most bytes that are kept; then the oldest go.
pub const MOST: usize = 64 << 20;

/// Bytes of text that are let go together.
const PIECE: usize = 64 << 10;

/// The text of one machine's console, over all of its starts that a script knows of.
#[derive(Debug)]
pub struct Transcript {
    most: usize,
    kept: Mutex<Kept>,
    end: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Kept {
    pieces: VecDeque<String>,
    bytes: usize,
    /// Position of the first byte that is kept.
    start: u64,
    /// Whether some had to go for want of room.
    has_lost: bool,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new(MOST)
    }
}

impl Transcript {
    /// An empty one that keeps about `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::default(),
            end: watch::Sender::new(0),
        }
    }

    /// Appends text; true when for the first time some had to go for it.
    pub fn push(&self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        let mut kept = self.lock();
        let had_lost = kept.has_lost;
        kept.push(text);
        while kept.bytes > self.most && kept.pieces.len() > 1 {
            kept.forget_oldest();
            kept.has_lost = true;
        }
        let end = kept.end();
        let is_first = kept.has_lost && !had_lost;
        drop(kept);
        self.end.send_replace(end);
        is_first
    }

    /// Forgets what there is: it was shown in a run that no script is to know of. Positions go on.
    pub fn forget(&self) {
        let mut kept = self.lock();
        kept.start = kept.end();
        kept.bytes = 0;
        kept.pieces.clear();
    }

    /// Appends a line of somebody else's.
    pub fn push_line(&self, line: &str) {
        self.end_line();
        self.push(line);
        self.push("\n");
    }

    /// Ends the last line, if it has no end yet: what comes next was not shown beside it.
    pub fn end_line(&self) {
        let is_open = self
            .lock()
            .pieces
            .back()
            .is_some_and(|piece| !piece.ends_with('\n'));
        if is_open {
            self.push("\n");
        }
    }

    /// The text from `position` on, or from the oldest that is kept, and the position after it.
    #[must_use]
    pub fn from(&self, position: u64) -> (String, u64) {
        let kept = self.lock();
        let mut text = String::new();
        let mut start = kept.start;
        for piece in &kept.pieces {
            let skipped = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
            if skipped < piece.len() {
                text.push_str(&piece[piece.floor_char_boundary(skipped)..]);
            }
            start += piece.len() as u64;
        }
        (text, kept.end())
    }

    /// Tells whenever there is more.
    #[must_use]
    pub fn grown(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn push(&mut self, text: &str) {
        match self.pieces.back_mut() {
            Some(piece) if piece.len() + text.len() <= PIECE => piece.push_str(text),
            _ => self.pieces.push_back(text.to_owned()),
        }
        self.bytes += text.len();
    }

    fn forget_oldest(&mut self) {
        if let Some(piece) = self.pieces.pop_front() {
            self.bytes -= piece.len();
            self.start += piece.len() as u64;
        }
    }

    fn end(&self) -> u64 {
        self.start + self.bytes as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_all_that_was_shown() {
        let transcript = Transcript::default();
        assert_eq!(transcript.from(0), (String::new(), 0));
        transcript.push("one\ntü");
        transcript.push("r");
        assert_eq!(transcript.from(0), ("one\ntür".to_owned(), 8));
        assert_eq!(transcript.from(4), ("tür".to_owned(), 8));
        // In the middle of a character.
        assert_eq!(transcript.from(6), ("ür".to_owned(), 8));
        assert_eq!(transcript.from(8), (String::new(), 8));
        assert_eq!(transcript.from(99), (String::new(), 8));
    }

    #[test]
    fn a_start_begins_a_line() {
        let transcript = Transcript::default();
        transcript.end_line();
        transcript.push("login: ");
        transcript.end_line();
        transcript.end_line();
        assert_eq!(transcript.from(0).0, "login: \n");
    }

    #[test]
    fn the_oldest_text_goes_and_that_is_told_once() {
        let transcript = Transcript::new(3 * PIECE);
        let piece = |letter: &str| letter.repeat(PIECE);
        let told: Vec<bool> = ["a", "b", "c", "d", "e"]
            .iter()
            .map(|letter| transcript.push(&piece(letter)))
            .collect();
        assert_eq!(told, [false, false, false, true, false]);
        let (text, end) = transcript.from(0);
        assert_eq!(text.len(), 3 * PIECE);
        assert!(text.starts_with("cc") && text.ends_with("ee"));
        assert_eq!(end, 5 * PIECE as u64);
        assert_eq!(transcript.from(end - 2).0, "ee");
    }

    #[test]
    fn what_is_forgotten_is_found_from_no_position() {
        let transcript = Transcript::default();
        transcript.push("another run\n");
        transcript.forget();
        transcript.push("this run\n");
        let position = "another run\nthis run\n".len() as u64;
        for from in [0, 3, 12] {
            assert_eq!(transcript.from(from), ("this run\n".to_owned(), position));
        }
    }

    #[tokio::test]
    async fn whoever_waits_is_told() {
        let transcript = Transcript::default();
        let mut grown = transcript.grown();
        assert!(!grown.has_changed().expect("open"));
        transcript.push("x");
        grown.changed().await.expect("open");
        assert_eq!(*grown.borrow(), 1);
    }
}

//! How many lines of a command get into the log.

use std::time::Duration;

use tokio::time::Instant;

/// Lines that pass at once.
const BURST: u32 = 200;

/// Lines that pass in a second once that is used up. They pass together: what is left out between them is one line.
const PER_SECOND: u32 = 50;

/// Lets a burst pass, and then a part of every second.
#[derive(Debug)]
pub(super) struct Limit {
    left: u32,
    /// The last moment for which was counted.
    at: Instant,
    /// Whether it is used up, and not enough came back.
    closed: bool,
}

impl Limit {
    pub(super) fn new() -> Self {
        Self {
            left: BURST,
            at: Instant::now(),
            closed: false,
        }
    }

    /// Whether one more line passes now.
    pub(super) fn pass(&mut self) -> bool {
        self.refill();
        if self.closed {
            return false;
        }
        self.left -= 1;
        self.closed = self.left == 0;
        true
    }

    fn refill(&mut self) {
        let interval = Duration::from_secs(1) / PER_SECOND;
        let came = self.at.elapsed().as_nanos() / interval.as_nanos();
        let came = u32::try_from(came).unwrap_or(u32::MAX);
        // What is less than a line stays for the next time.
        self.at += interval.saturating_mul(came);
        self.left = self.left.saturating_add(came).min(BURST);
        if self.left >= PER_SECOND {
            self.closed = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn passing(limit: &mut Limit) -> usize {
        (0..1000).filter(|_| limit.pass()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_and_then_a_part_of_every_second() {
        let mut limit = Limit::new();
        assert_eq!(passing(&mut limit), 200);
        advance(Duration::from_millis(990)).await;
        assert_eq!(passing(&mut limit), 0, "they pass together");
        advance(Duration::from_millis(10)).await;
        assert_eq!(passing(&mut limit), 50);
        for _ in 0..5 {
            advance(Duration::from_secs(1)).await;
            assert_eq!(passing(&mut limit), 50);
        }
        advance(Duration::from_secs(3600)).await;
        assert_eq!(passing(&mut limit), 200, "a burst again, and no more");
    }

    /// What looks all the time does not lose the fractions.
    #[tokio::test(start_paused = true)]
    async fn fractions_of_a_line_add_up() {
        let mut limit = Limit::new();
        passing(&mut limit);
        let mut passed = 0;
        for _ in 0..10_000 {
            advance(Duration::from_millis(1)).await;
            passed += usize::from(limit.pass());
        }
        // Those of the last second may not have come together yet.
        assert!((450..=500).contains(&passed), "{passed}");
    }
}

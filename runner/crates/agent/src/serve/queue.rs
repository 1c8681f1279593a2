//! What waits to be written to the port, bounded, and the writing of it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use vmtest_protocol::{PREAMBLE, ToHost, encode};

/// Bytes that may wait: enough to keep the port busy, little beside the guest's memory.
const BOUND: usize = 512 * 1024;

/// Frames that go out in one write, if they are small.
const BATCH: usize = 32 * 1024;

/// Nobody reads any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

/// What waits to be written; in the order in which it was sent.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write, or there will be nothing more.
    more: Condvar,
    /// There is room, or somebody is to look whether to go on.
    room: Condvar,
    /// Whoever writes has this; batches are taken with it, so that they keep their order.
    port: Mutex<Option<File>>,
}

#[derive(Debug, Default)]
struct State {
    frames: VecDeque<Vec<u8>>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Takes a message whatever waits already; for what is small and bounded by the requests under way.
    pub(super) fn post(&self, message: &ToHost) {
        let mut state = self.lock();
        state.push(frame(message));
        self.more.notify_one();
    }

    /// The same for the last message of a request, whose thread has nothing else to do: it writes itself, if nobody else
    /// does.
    pub(super) fn finish(&self, message: &ToHost) {
        self.lock().push(frame(message));
        match self.port.try_lock() {
            Ok(mut port) if port.is_some() => while self.write_batch(&mut port) {},
            _ => self.more.notify_one(),
        }
    }

    /// Begins a conversation.
    pub(super) fn open(&self, hello: &ToHost) {
        self.lock().push(PREAMBLE.to_vec());
        self.post(hello);
    }

    /// Takes a message if there is room.
    pub(super) fn try_send(&self, message: &ToHost) -> bool {
        let mut state = self.lock();
        let room = state.bytes < BOUND;
        if room {
            state.push(frame(message));
            self.more.notify_one();
        }
        room
    }

    /// Waits for room and takes a message, unless `stop` becomes true (see [`Queue::nudge`]) or the deadline passes
    /// first; says whether it did.
    pub(super) fn send(
        &self,
        message: &ToHost,
        stop: impl Fn() -> bool,
        deadline: Option<Instant>,
    ) -> Result<bool, Closed> {
        let frame = frame(message);
        let mut state = self.lock();
        loop {
            if state.closed {
                return Err(Closed);
            }
            if stop() {
                return Ok(false);
            }
            if state.bytes < BOUND {
                state.push(frame);
                self.more.notify_one();
                return Ok(true);
            }
            state = match deadline {
                None => self
                    .room
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Ok(false);
                    }
                    let (state, _) = self
                        .room
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner);
                    state
                }
            };
        }
    }

    /// Has everybody who waits for room look again.
    pub(super) fn nudge(&self) {
        let _state = self.lock();
        self.room.notify_all();
    }

    /// Nothing is written any more.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.frames.clear();
        state.bytes = 0;
        self.more.notify_all();
        self.room.notify_all();
    }

    /// Writes what comes, until the queue is closed or the port is.
    pub(super) fn write_to(&self, port: File) {
        *self.lock_port() = Some(port);
        while self.wait_for_more() {
            self.write_batch(&mut self.lock_port());
        }
        *self.lock_port() = None;
    }

    /// Waits until there is something to write; false when there will be nothing more.
    fn wait_for_more(&self) -> bool {
        let nothing = |state: &mut State| state.frames.is_empty() && !state.closed;
        let state = self.more.wait_while(self.lock(), nothing);
        !state.unwrap_or_else(PoisonError::into_inner).closed
    }

    /// Writes what goes out at once; says whether there was something.
    fn write_batch(&self, port: &mut Option<File>) -> bool {
        let (Some(port), Some(batch)) = (port, self.next_batch()) else {
            return false;
        };
        if port.write_all(&batch).is_err() {
            self.close();
        }
        true
    }

    fn next_batch(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        let mut batch = state.frames.pop_front()?;
        while let Some(next) = state.frames.front()
            && batch.len() + next.len() <= BATCH
        {
            batch.extend_from_slice(next);
            state.frames.pop_front();
        }
        state.bytes -= batch.len();
        self.room.notify_all();
        Some(batch)
    }

    fn lock_port(&self) -> MutexGuard<'_, Option<File>> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, frame: Vec<u8>) {
        if !self.closed {
            self.bytes += frame.len();
            self.frames.push_back(frame);
        }
    }
}

/// No message of the agent's comes near the largest frame; should one, saying so is all that can be done.
fn frame(message: &ToHost) -> Vec<u8> {
    encode(message)
        .unwrap_or_else(|error| encode(&ToHost::Note(error.to_string())).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(queue: &Queue) {
        let message = ToHost::Journal(vec![0; BOUND]);
        assert_eq!(queue.send(&message, || false, None), Ok(true));
    }

    #[test]
    fn a_full_queue_makes_its_senders_wait() {
        let queue = Queue::default();
        fill(&queue);
        let more = ToHost::Note("more".into());
        assert!(!queue.try_send(&more));
        assert_eq!(queue.send(&more, || false, Some(Instant::now())), Ok(false));
        assert_eq!(queue.send(&more, || true, None), Ok(false));
        assert!(queue.next_batch().is_some());
        assert!(queue.try_send(&more));
    }

    #[test]
    fn a_sender_who_waits_goes_on_when_there_is_room() {
        let queue = Queue::default();
        fill(&queue);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| queue.send(&ToHost::Note("late".into()), || false, None));
            assert!(queue.next_batch().is_some());
            assert_eq!(sender.join().expect("no panic"), Ok(true));
        });
        assert_eq!(
            queue.next_batch(),
            Some(frame(&ToHost::Note("late".into())))
        );
    }

    #[test]
    fn a_closed_queue_frees_its_senders() {
        let queue = Queue::default();
        fill(&queue);
        std::thread::scope(|scope| {
            let sender = scope.spawn(|| queue.send(&ToHost::Note("late".into()), || false, None));
            queue.close();
            assert_eq!(sender.join().expect("no panic"), Err(Closed));
        });
        assert_eq!(queue.next_batch(), None);
    }

    #[test]
    fn small_frames_go_out_together() {
        let queue = Queue::default();
        let notes = ["a", "b", "c"].map(|text| ToHost::Note(text.into()));
        notes.iter().for_each(|note| queue.post(note));
        assert_eq!(
            queue.next_batch(),
            Some(notes.iter().flat_map(frame).collect())
        );
    }
}

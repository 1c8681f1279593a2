//! The snapshots that a script has taken, and may go back to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::snapshot::Saved;

/// The state of a machine, with its name.
type Named = (String, Arc<Saved>);

/// Snapshots by number.
#[derive(Debug, Default)]
pub(super) struct Snapshots(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    next: u64,
    snapshots: HashMap<u64, Vec<Named>>,
}

impl Snapshots {
    /// Keeps one; gives its number.
    pub(super) fn keep(&self, saved: Vec<Named>) -> u64 {
        let mut kept = self.lock();
        kept.next += 1;
        let number = kept.next;
        kept.snapshots.insert(number, saved);
        number
    }

    /// The states of these machines in a snapshot that was not forgotten, as far as it has them, in their order.
    pub(super) fn get(&self, number: u64, machines: &[String]) -> Vec<Arc<Saved>> {
        let kept = self.lock();
        let saved = kept.snapshots.get(&number).map_or(&[][..], Vec::as_slice);
        let find = |name: &String| saved.iter().find(|(of, _)| of == name);
        let found = machines.iter().filter_map(find);
        found.map(|(_, saved)| Arc::clone(saved)).collect()
    }

    /// Lets one go, and what it takes of the disk.
    pub(super) fn forget(&self, number: u64) {
        let forgotten = self.lock().snapshots.remove(&number);
        // Files are removed; not while others wait.
        drop(forgotten);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

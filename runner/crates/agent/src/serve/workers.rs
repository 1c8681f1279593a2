//! Threads for requests, kept for the next one: to start a thread costs an emulated machine more than most requests do.

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use super::connection::STACK;

/// Most threads that wait for a request; more than one script's thread seldom asks at once.
const MOST_IDLE: usize = 4;

/// What a thread is to do; it does not panic.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads.
#[derive(Debug, Default)]
pub(super) struct Workers {
    idle: Mutex<Vec<Sender<Job>>>,
}

impl Workers {
    /// Has a thread do this, a new one if none is idle.
    ///
    /// # Errors
    /// When there is no room for another thread.
    pub(super) fn run(self: &Arc<Self>, job: Job) -> io::Result<()> {
        let idle = self.lock().pop();
        let job = match idle {
            Some(worker) => match worker.send(job) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
            None => job,
        };
        let workers = Arc::clone(self);
        let thread = Builder::new().name("request".into()).stack_size(STACK);
        thread.spawn(move || workers.work(job)).map(drop)
    }

    fn work(&self, first: Job) {
        let (sender, jobs) = channel();
        let mut job = first;
        loop {
            job();
            {
                let mut idle = self.lock();
                if idle.len() >= MOST_IDLE {
                    return;
                }
                idle.push(sender.clone());
            }
            match jobs.recv() {
                Ok(next) => job = next,
                Err(_) => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Sender<Job>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;
    use std::thread;

    use super::*;

    #[test]
    fn threads_are_used_again_and_as_many_as_needed() {
        let workers: Arc<Workers> = Arc::default();
        let (told, ids) = channel();
        let run = |wait: Option<std::sync::mpsc::Receiver<()>>| {
            let told = told.clone();
            let job = move || {
                if let Some(wait) = wait {
                    let _ = wait.recv();
                }
                let _ = told.send(thread::current().id());
            };
            workers.run(Box::new(job)).expect("room");
        };
        let (go, wait) = sync_channel(1);
        run(Some(wait));
        run(None);
        let other = ids.recv().expect("done");
        go.send(()).expect("it waits");
        let first = ids.recv().expect("done");
        assert_ne!(first, other, "one waited, so there had to be another");
        while workers.lock().len() < 2 {
            thread::yield_now();
        }
        run(None);
        assert_eq!(
            ids.recv().expect("done"),
            first,
            "the last one that became idle"
        );
    }
}

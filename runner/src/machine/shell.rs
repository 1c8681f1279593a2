//! A shell in the guest, for a script to talk to.
//!
//! One task stands between it and the script: it takes what the shell prints as that comes, whether or not the script
//! asks for it, and passes on what the script says as fast as the shell reads.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vmtest_protocol::{CHUNK, Run, ToGuest, WINDOW};
use vmtest_script::backend::MachineErrorKind as Failure;

use super::agent::{Reply, Request};
use super::handle::Handle;

/// The guest's best shell, both outputs in their order. It reads commands and shows no prompt: it has no terminal.
const SCRIPT: &str = "exec \"${BASH:-sh}\" 2>&1";

/// How long the shell may take to read what is sent to it.
const READING_TIME: Duration = Duration::from_secs(30);

/// Most bytes that wait for the script to receive them; then the oldest go.
const MOST_WAITING: usize = 16 << 20;

/// A shell in a guest; dropping it ends it.
#[derive(Debug)]
pub struct GuestShell {
    handle: Handle,
    input: mpsc::Sender<Vec<u8>>,
    output: Arc<Output>,
    task: JoinHandle<()>,
}

/// What the shell has printed and nobody has received.
#[derive(Debug, Default)]
struct Output {
    waiting: Mutex<VecDeque<u8>>,
    /// Whether the shell has ended; told whenever there is more, too.
    ended: watch::Sender<bool>,
}

impl Handle {
    /// Starts a shell in the guest.
    ///
    /// # Errors
    /// When the machine does not run or does not come up.
    pub async fn open_shell(&self) -> Result<GuestShell, Failure> {
        let run = Run {
            script: SCRIPT.to_owned(),
            timeout_ms: None,
            wait_for_output: false,
            stdin: true,
        };
        let agent = self.agent(false).await?;
        let request = self.begin(&agent, |id| ToGuest::Run(id, run)).await?;
        let (input, queue) = mpsc::channel(1);
        let output = Arc::new(Output::default());
        let task = tokio::spawn(converse(request, queue, Arc::clone(&output)));
        Ok(GuestShell {
            handle: self.clone(),
            input,
            output,
            task,
        })
    }
}

impl GuestShell {
    /// Writes to its input.
    ///
    /// # Errors
    /// When it has ended, or does not read.
    pub async fn send(&self, bytes: &[u8]) -> Result<(), Failure> {
        // Nothing would mean the end of its input.
        for piece in bytes.chunks(CHUNK) {
            match timeout(READING_TIME, self.input.send(piece.to_vec())).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) if self.handle.state().is_settled() => {
                    return Err(Failure::Refused {
                        reason: "the shell has ended".to_owned(),
                    });
                }
                Ok(Err(_)) => return Err(self.handle.lost().await),
                Err(_) => {
                    return Err(Failure::TimedOut {
                        what: "a shell that reads what is sent to it".to_owned(),
                        after: READING_TIME,
                    });
                }
            }
        }
        Ok(())
    }

    /// What it has printed since the last call; waits for something, or until the time is over. None when it has ended.
    pub async fn receive(&self, limit: Option<Duration>) -> Option<Vec<u8>> {
        let mut ended = self.output.ended.subscribe();
        let something = async {
            loop {
                // What it printed last was put there before its end was told.
                let has_ended = *ended.borrow_and_update();
                let bytes = self.output.take();
                if !bytes.is_empty() {
                    return Some(bytes);
                }
                if has_ended || ended.changed().await.is_err() {
                    return None;
                }
            }
        };
        match limit {
            Some(limit) => timeout(limit, something)
                .await
                .unwrap_or_else(|_| Some(Vec::new())),
            None => something.await,
        }
    }
}

impl Drop for GuestShell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut request: Request, mut queue: mpsc::Receiver<Vec<u8>>, output: Arc<Output>) {
    let mut credit = WINDOW;
    let mut unsent: VecDeque<u8> = VecDeque::new();
    loop {
        tokio::select! {
            reply = request.next() => match reply {
                Some(Reply::Output(_, bytes)) => output.push(bytes),
                Some(Reply::Credit(more)) => credit += more,
                Some(Reply::Data(_)) => {}
                Some(Reply::Done(_)) | None => break,
            },
            Some(bytes) = queue.recv(), if unsent.is_empty() => unsent.extend(bytes),
        }
        let sendable = usize::try_from(credit)
            .unwrap_or(usize::MAX)
            .min(unsent.len());
        if sendable > 0 {
            credit -= sendable as u64;
            let data = unsent.drain(..sendable).collect();
            if !request.send(&ToGuest::Data(request.id, data)).await {
                break;
            }
        }
    }
    output.ended.send_replace(true);
}

impl Output {
    fn push(&self, bytes: Vec<u8>) {
        let mut waiting = self.lock();
        waiting.extend(bytes);
        let excess = waiting.len().saturating_sub(MOST_WAITING);
        waiting.drain(..excess);
        drop(waiting);
        self.ended.send_modify(|_| {});
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.lock()).into()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Requests to the agent in the guest.
//!
//! One task reads what the agent says, one writes. A request gets a queue of its own for what belongs to it, and is
//! over with [`Reply::Done`]. When the guest is reset or ends, every request under way ends with it: its queue closes.

use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use vmtest_protocol::{
    Decoder, Failure, Features, FrameError, Hello, Outcome, PREAMBLE, RequestId, Resume, Stream,
    ToGuest, ToHost, VERSION, encode,
};

/// Messages that wait to be written before a sender has to wait.
const QUEUE: usize = 64;

/// Replies that wait for whoever made a request before the agent has to wait: some MiB of output. Everybody waits with
/// it; so replies are taken as they come, whatever a script does.
const REPLIES: usize = 128;

/// What an agent says that belongs to no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It is there, for the first time or anew.
    Hello,
    /// The guest is up.
    Booted,
    /// A root shell of the guest's is there, through which the agent will come.
    RootShell,
    /// It cannot come; with the reason.
    NotInstalled(String),
    /// It speaks another version.
    WrongVersion(u16),
    /// Bytes of the guest's journal.
    Journal(Vec<u8>),
    /// Output of a command that had ended before.
    Late(RequestId, Stream, Vec<u8>),
    /// Something for the log.
    Note(String),
}

/// What an agent says of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A part of a command's output.
    Output(Stream, Vec<u8>),
    /// A part of a copied tree.
    Data(Vec<u8>),
    /// So many more bytes may be sent.
    Credit(u64),
    /// The end.
    Done(Result<Outcome, Failure>),
}

/// Why a request cannot be made.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The agent is not there.
    #[error("the guest's agent is not connected")]
    NotConnected,
    /// The request cannot be put into a message.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// What the writer is handed.
#[derive(Debug)]
enum Outgoing {
    /// Bytes to write.
    Bytes(Vec<u8>),
    /// Bytes after which nothing is written until the sender sends what is to come first, or is gone.
    Hold(Vec<u8>, oneshot::Receiver<Vec<u8>>),
}

/// While this lives, nothing is sent to the agent.
#[derive(Debug)]
pub struct Hold {
    release: oneshot::Sender<Vec<u8>>,
}

impl Hold {
    /// Ends it for a machine that stood still for so long: before anything that waits, its agent is told that.
    pub fn end_after(self, still: Duration) {
        match encode(&ToGuest::Clock(nanoseconds(still))) {
            // The writer is gone when QEMU is.
            Ok(frame) => drop(self.release.send(frame)),
            Err(error) => tracing::error!(%error, "the time cannot be sent"),
        }
    }
}

/// Nanoseconds since 1970, UTC.
pub(super) fn now() -> u64 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.map_or(0, nanoseconds)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(0)
}

/// The connection to one machine's agent.
#[derive(Debug)]
pub struct Agent {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Outgoing>,
    tasks: [JoinHandle<()>; 2],
}

#[derive(Debug, Default)]
struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    decoder: Decoder,
    /// Whether hellos were exchanged since the last reset.
    connected: bool,
    /// Whether there were requests since then.
    used: bool,
    closed: bool,
    next: RequestId,
    requests: HashMap<RequestId, mpsc::Sender<Reply>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way; dropping it before its end cancels it.
#[derive(Debug)]
pub struct Request {
    /// Its number.
    pub id: RequestId,
    replies: mpsc::Receiver<Reply>,
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Outgoing>,
}

impl Agent {
    /// Opens the channel and begins to listen.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn open(socket: StdUnixStream, news: mpsc::UnboundedSender<News>) -> io::Result<Self> {
        let (reader, writer) = UnixStream::from_std(socket)?.into_split();
        let shared = Arc::new(Shared::default());
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let reading = tokio::spawn(read(reader, Arc::clone(&shared), outgoing.clone(), news));
        let writing = tokio::spawn(write(writer, queue));
        Ok(Self {
            shared,
            outgoing,
            tasks: [reading, writing],
        })
    }

    /// Begins a request that `message` makes of its number.
    ///
    /// # Errors
    /// When the agent is not there, or the message too long.
    pub async fn request(
        &self,
        message: impl FnOnce(RequestId) -> ToGuest,
    ) -> Result<Request, RequestError> {
        self.begin(message, Outgoing::Bytes).await
    }

    async fn begin(
        &self,
        message: impl FnOnce(RequestId) -> ToGuest,
        send: impl FnOnce(Vec<u8>) -> Outgoing,
    ) -> Result<Request, RequestError> {
        let (sender, replies) = mpsc::channel(REPLIES);
        let (id, frame) = {
            let mut state = self.shared.lock();
            if !state.connected {
                return Err(RequestError::NotConnected);
            }
            let id = state.next + 1;
            let frame = encode(&message(id))?;
            state.next = id;
            state.used = true;
            state.requests.insert(id, sender);
            (id, frame)
        };
        let request = Request {
            id,
            replies,
            shared: Arc::clone(&self.shared),
            outgoing: self.outgoing.clone(),
        };
        match request.outgoing.send(send(frame)).await {
            Ok(()) => Ok(request),
            Err(_) => Err(RequestError::NotConnected),
        }
    }

    /// Waits until the agent has taken everything that was sent, and sends nothing more meanwhile: requests, and what
    /// belongs to those under way, wait. What the agent says is taken as always.
    ///
    /// # Errors
    /// When the agent is not there, or goes.
    pub async fn hold(&self) -> Result<Hold, RequestError> {
        let (release, released) = oneshot::channel();
        let hold = |frame| Outgoing::Hold(frame, released);
        let mut request = self.begin(ToGuest::Sync, hold).await?;
        match request.next().await {
            Some(Reply::Done(Ok(_))) => Ok(Hold { release }),
            _ => Err(RequestError::NotConnected),
        }
    }

    /// Tells the agent of a restored machine, which takes this for a conversation that goes on: it says hello.
    ///
    /// # Errors
    /// When the message cannot be made.
    pub async fn resume(&self, resume: Resume) -> Result<(), FrameError> {
        let frame = encode(&ToGuest::Resume(resume))?;
        // The writer is gone when QEMU is.
        let parcel = Outgoing::Bytes([&PREAMBLE[..], &frame].concat());
        let _ = self.outgoing.send(parcel).await;
        Ok(())
    }

    /// Sends what is not for an agent, but for whoever has its port while there is none.
    pub(super) async fn upload(&self, parcel: Vec<u8>) {
        // The writer is gone when QEMU is.
        let _ = self.outgoing.send(Outgoing::Bytes(parcel)).await;
    }

    /// Whether the agent is there.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.lock().connected
    }

    /// Whether the agent is there and was not asked for anything yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let state = self.shared.lock();
        state.connected && !state.used
    }

    /// The guest was reset: what was under way is lost, and the agent will say hello again.
    pub fn reset(&self) {
        let mut state = self.shared.lock();
        state.decoder.resync();
        state.connected = false;
        state.requests.clear();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        let mut state = self.shared.lock();
        state.closed = true;
        state.connected = false;
        state.requests.clear();
    }
}

impl Request {
    /// What comes next; none when the connection is lost.
    pub async fn next(&mut self) -> Option<Reply> {
        self.replies.recv().await
    }

    /// Sends a message that belongs to the request; false when the connection is lost.
    pub async fn send(&self, message: &ToGuest) -> bool {
        match encode(message) {
            Ok(frame) => self.outgoing.send(Outgoing::Bytes(frame)).await.is_ok(),
            Err(error) => {
                tracing::error!(%error, "a request cannot be sent");
                false
            }
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.shared.lock().requests.remove(&self.id).is_none() {
            return;
        }
        // A full queue means that the guest does not read: it will not miss this either.
        if let Ok(frame) = encode(&ToGuest::Cancel(self.id)) {
            let _ = self.outgoing.try_send(Outgoing::Bytes(frame));
        }
    }
}

async fn write(mut writer: OwnedWriteHalf, mut queue: mpsc::Receiver<Outgoing>) {
    while let Some(next) = queue.recv().await {
        let (bytes, hold) = match next {
            Outgoing::Bytes(bytes) => (bytes, None),
            Outgoing::Hold(bytes, hold) => (bytes, Some(hold)),
        };
        if let Err(error) = writer.write_all(&bytes).await {
            tracing::debug!(%error, "the agent's channel cannot be written any more");
            return;
        }
        if let Some(released) = hold
            && let Ok(first) = released.await
            && let Err(error) = writer.write_all(&first).await
        {
            tracing::debug!(%error, "the agent's channel cannot be written any more");
            return;
        }
    }
}

async fn read(
    mut reader: OwnedReadHalf,
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Outgoing>,
    news: mpsc::UnboundedSender<News>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = reader.read(&mut buffer).await {
        shared.lock().decoder.push(&buffer[..length]);
        loop {
            let message = shared.lock().decoder.next_message::<ToHost>();
            match message {
                Ok(Some(message)) => handle(message, &shared, &outgoing, &news).await,
                Ok(None) => break,
                Err(error) => tracing::warn!(%error, "the agent sent what cannot be read"),
            }
        }
    }
    let mut state = shared.lock();
    state.connected = false;
    state.requests.clear();
}

async fn handle(
    message: ToHost,
    shared: &Shared,
    outgoing: &mpsc::Sender<Outgoing>,
    news: &mpsc::UnboundedSender<News>,
) {
    let (id, reply) = match message {
        ToHost::Hello(hello) => {
            let _ = news.send(greet(hello, shared, outgoing).await);
            return;
        }
        ToHost::Journal(bytes) => {
            let _ = news.send(News::Journal(bytes));
            return;
        }
        ToHost::Booted => {
            let _ = news.send(News::Booted);
            return;
        }
        ToHost::Note(text) => {
            let _ = news.send(News::Note(text));
            return;
        }
        ToHost::Late(id, stream, bytes) => {
            let _ = news.send(News::Late(id, stream, bytes));
            return;
        }
        ToHost::Output(id, stream, bytes) => (id, Reply::Output(stream, bytes)),
        ToHost::Data(id, bytes) => (id, Reply::Data(bytes)),
        ToHost::Credit(id, bytes) => (id, Reply::Credit(bytes)),
        ToHost::Done(id, result) => (id, Reply::Done(result)),
    };
    let queue = {
        let mut state = shared.lock();
        if matches!(reply, Reply::Done(_)) {
            state.requests.remove(&id)
        } else {
            state.requests.get(&id).cloned()
        }
    };
    if let Some(queue) = queue {
        // Whoever asked may have lost interest.
        let _ = queue.send(reply).await;
    }
}

/// Answers a hello: from here on the agent takes requests.
async fn greet(hello: Hello, shared: &Shared, outgoing: &mpsc::Sender<Outgoing>) -> News {
    if hello.version != VERSION {
        return News::WrongVersion(hello.version);
    }
    let answer = Hello {
        version: VERSION,
        features: hello.features.common(Features::default()),
        session: hello.session,
    };
    let frame = match encode(&ToGuest::Hello(answer)) {
        Ok(frame) => frame,
        Err(error) => return News::Note(error.to_string()),
    };
    // The answer is in the queue before the first request can be.
    let parcel = Outgoing::Bytes([&PREAMBLE[..], &frame].concat());
    let _ = outgoing.send(parcel).await;
    let mut state = shared.lock();
    state.requests.clear();
    state.used = false;
    state.connected = !state.closed;
    News::Hello
}

#[cfg(test)]
mod tests;

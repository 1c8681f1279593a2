//! QEMU's control channel, the [QEMU Machine Protocol](https://www.qemu.org/docs/master/interop/qmp-spec.html).
//!
//! One line of JSON a message. A [`Client`] sends commands and waits for their replies; events go to a queue as they
//! come. The task that reads ends with the channel, and every command under way then fails.

use std::collections::HashMap;
use std::io;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};

/// How long QEMU may take for one command.
pub const COMMAND_TIME: Duration = Duration::from_secs(30);

/// What QEMU calls the agent's port in its events.
pub const AGENT_PORT: &str = "agent-port";

/// Why a command has no result.
#[derive(Debug, Error)]
pub enum QmpError {
    /// The channel is closed: QEMU has ended.
    #[error("QEMU closed its control channel")]
    Closed,
    /// QEMU did not answer.
    #[error("QEMU did not answer `{command}` within {} s", .after.as_secs())]
    NoAnswer {
        /// The command.
        command: String,
        /// How long it had.
        after: Duration,
    },
    /// QEMU refuses the command.
    #[error("QEMU refuses `{command}`: {description}")]
    Refused {
        /// The command.
        command: String,
        /// Class of the error, such as `CommandNotFound`.
        class: String,
        /// QEMU's own words.
        description: String,
    },
}

/// Something that QEMU says by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct QmpEvent {
    /// Its name, such as `SHUTDOWN`.
    pub name: String,
    /// What goes with it.
    pub data: Value,
    /// All of it, as JSON.
    pub text: String,
}

/// Sends commands to one QEMU; cloning gives another handle to the same channel.
#[derive(Debug, Clone)]
pub struct Client {
    writer: Arc<AsyncMutex<OwnedWriteHalf>>,
    pending: Arc<Mutex<Pending>>,
}

type Reply = Result<Value, ErrorReply>;

#[derive(Debug, Default)]
struct Pending {
    next: u64,
    closed: bool,
    replies: HashMap<u64, oneshot::Sender<Reply>>,
}

#[derive(Debug, Deserialize)]
struct ErrorReply {
    class: String,
    desc: String,
}

/// What QEMU sends: a greeting, a reply or an event.
#[derive(Debug, Deserialize)]
struct Message {
    id: Option<u64>,
    #[serde(rename = "return")]
    result: Option<Value>,
    error: Option<ErrorReply>,
    event: Option<String>,
    #[serde(default)]
    data: Value,
}

impl Client {
    /// Opens the channel; events go to `events` from now on.
    ///
    /// # Errors
    /// When the socket cannot be used.
    pub fn open(
        socket: StdUnixStream,
        events: mpsc::UnboundedSender<QmpEvent>,
    ) -> io::Result<Self> {
        let (reader, writer) = UnixStream::from_std(socket)?.into_split();
        let pending = Arc::new(Mutex::new(Pending::default()));
        tokio::spawn(read(BufReader::new(reader), Arc::clone(&pending), events));
        Ok(Self {
            writer: Arc::new(AsyncMutex::new(writer)),
            pending,
        })
    }

    /// Leaves the negotiation mode in which every channel begins.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn negotiate(&self) -> Result<(), QmpError> {
        self.execute("qmp_capabilities", json!({})).await.map(drop)
    }

    /// Runs one command.
    ///
    /// # Errors
    /// When QEMU refuses it, does not answer within [`COMMAND_TIME`], or ends.
    pub async fn execute(&self, command: &str, arguments: Value) -> Result<Value, QmpError> {
        let (sender, reply) = oneshot::channel();
        let id = {
            let mut pending = lock(&self.pending);
            if pending.closed {
                return Err(QmpError::Closed);
            }
            pending.next += 1;
            let id = pending.next;
            pending.replies.insert(id, sender);
            id
        };
        let line = format!(
            "{}\n",
            json!({ "execute": command, "arguments": arguments, "id": id })
        );
        let answer = async {
            self.writer
                .lock()
                .await
                .write_all(line.as_bytes())
                .await
                .map_err(|_| QmpError::Closed)?;
            reply.await.map_err(|_| QmpError::Closed)
        };
        match tokio::time::timeout(COMMAND_TIME, answer).await {
            Ok(Ok(Ok(result))) => Ok(result),
            Ok(Ok(Err(error))) => Err(QmpError::Refused {
                command: command.to_owned(),
                class: error.class,
                description: error.desc,
            }),
            Ok(Err(closed)) => Err(closed),
            Err(_) => {
                lock(&self.pending).replies.remove(&id);
                Err(QmpError::NoAnswer {
                    command: command.to_owned(),
                    after: COMMAND_TIME,
                })
            }
        }
    }
}

fn lock(pending: &Mutex<Pending>) -> MutexGuard<'_, Pending> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(
    mut reader: BufReader<OwnedReadHalf>,
    pending: Arc<Mutex<Pending>>,
    events: mpsc::UnboundedSender<QmpEvent>,
) {
    let mut line = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        let message: Message = match serde_json::from_str(&line) {
            Ok(message) => message,
            Err(error) => {
                tracing::warn!(%error, line = line.trim_end(), "QEMU sent what is no QMP message");
                continue;
            }
        };
        if let Some(name) = message.event {
            // Nobody listens any more once the machine is given up.
            let _ = events.send(QmpEvent {
                name,
                data: message.data,
                text: line.trim_end().to_owned(),
            });
        } else if let Some(reply) = message.id.and_then(|id| lock(&pending).replies.remove(&id)) {
            let result = message
                .error
                .map_or_else(|| Ok(message.result.unwrap_or(Value::Null)), Err);
            let _ = reply.send(result);
        }
    }
    let mut pending = lock(&pending);
    pending.closed = true;
    pending.replies.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FakeQemu(BufReader<UnixStream>);

    impl FakeQemu {
        fn new() -> (Self, Client, mpsc::UnboundedReceiver<QmpEvent>) {
            let (ours, theirs) = StdUnixStream::pair().expect("socket pair");
            ours.set_nonblocking(true).expect("non-blocking");
            theirs.set_nonblocking(true).expect("non-blocking");
            let (sender, events) = mpsc::unbounded_channel();
            let fake = Self(BufReader::new(
                UnixStream::from_std(ours).expect("tokio socket"),
            ));
            (fake, Client::open(theirs, sender).expect("client"), events)
        }

        async fn say(&mut self, text: &str) {
            self.0
                .get_mut()
                .write_all(text.as_bytes())
                .await
                .expect("written");
        }

        async fn hear(&mut self) -> Value {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("read");
            serde_json::from_str(&line).expect("JSON")
        }
    }

    #[tokio::test]
    async fn events_before_a_reply_and_replies_out_of_order() {
        let (mut qemu, client, mut events) = FakeQemu::new();
        qemu.say("{\"QMP\": {}}\n{\"event\": \"RESUME\", \"timestamp\": {}}\n{\"event\": \"SHUT")
            .await;
        let other = client.clone();
        let (first, second, ()) = tokio::join!(
            client.execute("first", json!({})),
            other.execute("second", json!({"a": 1})),
            async {
                let (one, two) = (qemu.hear().await, qemu.hear().await);
                assert_eq!(two["arguments"]["a"], 1);
                qemu.say("DOWN\", \"data\": {\"guest\": true}}\n").await;
                qemu.say(&format!(
                    "{}\n",
                    json!({"error": {"class": "E", "desc": "no"}, "id": two["id"]})
                ))
                .await;
                qemu.say(&format!(
                    "{}\n",
                    json!({"return": {"x": 2}, "id": one["id"]})
                ))
                .await;
            }
        );
        assert_eq!(first.expect("a result")["x"], 2);
        assert_eq!(
            second.expect_err("refused").to_string(),
            "QEMU refuses `second`: no"
        );
        assert_eq!(events.recv().await.expect("event").name, "RESUME");
        assert_eq!(events.recv().await.expect("event").data["guest"], true);
    }

    #[tokio::test]
    async fn the_end_of_qemu_fails_what_is_under_way_and_what_comes_later() {
        let (mut qemu, client, _events) = FakeQemu::new();
        let (result, ()) = tokio::join!(client.execute("stop", json!({})), async {
            qemu.hear().await;
            drop(qemu);
        });
        assert!(matches!(result, Err(QmpError::Closed)));
        assert!(matches!(
            client.execute("cont", json!({})).await,
            Err(QmpError::Closed)
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_qemu_that_does_not_answer_is_not_waited_for_for_ever() {
        let (_qemu, client, _events) = FakeQemu::new();
        let error = client
            .execute("screendump", json!({}))
            .await
            .expect_err("no answer");
        assert_eq!(
            error.to_string(),
            "QEMU did not answer `screendump` within 30 s"
        );
    }
}

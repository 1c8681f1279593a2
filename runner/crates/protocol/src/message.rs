//! What runner and agent say to each other.

use serde::{Deserialize, Serialize};

/// Tells requests apart; chosen by the host, never used twice on a connection.
pub type RequestId = u32;

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`](crate::VERSION) of the sender.
    pub version: u16,
    /// What the sender can do beyond the version; both use what both have.
    pub features: Features,
    /// Drawn by the agent at its start, repeated by the host: an answer to an earlier boot is recognised.
    pub session: u64,
}

/// A set of features, one bit each. Version 1 has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features(pub u64);

impl Features {
    /// What both sides have.
    #[must_use]
    pub fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// From the runner to the agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToGuest {
    /// Answers the agent's hello.
    Hello(Hello),
    /// Runs a command; its output comes as [`ToHost::Output`].
    Run(RequestId, Run),
    /// Waits for a condition.
    Wait {
        /// The request.
        id: RequestId,
        /// What to wait for.
        condition: Condition,
        /// Milliseconds after which the wait ends with [`Outcome::TimedOut`]; none waits for ever.
        timeout_ms: Option<u64>,
    },
    /// Receives a tar stream as [`ToGuest::Data`] and unpacks it below `target`, as `cp -r` of root's would: with modes, but
    /// without owners and times.
    Put {
        /// The request.
        id: RequestId,
        /// Absolute path of a folder; it and its parents are made where they are missing.
        target: String,
    },
    /// Sends a file or tree as a tar stream in [`ToHost::Data`]; its entries begin with the source's base name.
    Get {
        /// The request.
        id: RequestId,
        /// Absolute path of a file, folder or symbolic link (which is followed).
        source: String,
    },
    /// A part of the data of a [`ToGuest::Put`], or of a command's input; empty: the end.
    Data(RequestId, #[serde(with = "serde_bytes")] Vec<u8>),
    /// Ends a request early: a command's processes are killed, a wait or copy is given up.
    Cancel(RequestId),
    /// Is answered by [`Outcome::Complete`] at once: whatever was sent before has arrived.
    Sync(RequestId),
    /// The machine was saved while another runner talked to it, or this one at another time, and goes on from there. What
    /// was under way is given up, and the agent says hello with a new session.
    Resume(Resume),
    /// The machine stood still for so many nanoseconds, and goes on: the guest's clock, whatever it shows, is put forward by them.
    Clock(u64),
}

/// What a machine that was saved cannot know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The time: nanoseconds since 1970, UTC. The guest's clock is set to it.
    pub time_ns: u64,
    /// Random bytes. They go into the kernel's random number generator, which would go on as every other machine does
    /// that was restored from the same state.
    pub seed: [u8; 32],
}

/// A command to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Text for the guest's shell (`bash` where there is one, else `sh`), which runs it with the environment of a root
    /// login.
    pub script: String,
    /// Milliseconds after which the command's whole process group is killed.
    pub timeout_ms: Option<u64>,
    /// Whether the request ends only when both outputs are closed, by the command and whoever inherited them.
    pub wait_for_output: bool,
    /// Whether [`ToGuest::Data`] is the command's standard input; else it has none.
    pub stdin: bool,
}

/// Something that a guest can be waited for. What can never hold any more ends the wait with a [`Failure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// A TCP connection to the address can be made.
    TcpOpen {
        /// Host name or address, resolved in the guest.
        host: String,
        /// Port number.
        port: u16,
    },
    /// A TCP connection to the address is refused.
    TcpClosed {
        /// Host name or address, resolved in the guest.
        host: String,
        /// Port number.
        port: u16,
    },
    /// Some socket is bound to the UDP port.
    UdpOpen {
        /// Port number.
        port: u16,
    },
    /// A UNIX socket takes connections, or datagrams.
    UnixOpen {
        /// Path of the socket.
        path: String,
        /// Whether it takes datagrams.
        datagram: bool,
    },
    /// A file, of whatever kind, is there.
    File {
        /// A word of the shell's language: globs, variables and substitutions in it are expanded at every look.
        word: String,
    },
    /// A unit of systemd is in a state.
    Unit {
        /// Its name, as `systemctl` takes it: without a suffix it is a service.
        unit: String,
        /// The user whose service manager has it; none: the system's.
        user: Option<String>,
        /// The state, such as `inactive`. None waits for it to be active, and fails when it has failed, or is inactive
        /// while no job is queued.
        state: Option<String>,
    },
}

/// From the agent to the runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToHost {
    /// The agent is there, for the first time or again.
    Hello(Hello),
    /// A part of a command's output.
    Output(RequestId, Stream, #[serde(with = "serde_bytes")] Vec<u8>),
    /// A part of the data of a [`ToGuest::Get`].
    Data(RequestId, #[serde(with = "serde_bytes")] Vec<u8>),
    /// So many bytes of [`ToGuest::Data`] were taken: as many more may be sent.
    Credit(RequestId, u64),
    /// The end of a request.
    Done(RequestId, Result<Outcome, Failure>),
    /// Output that came after the [`Done`](Self::Done) of its command, from a process that still holds the pipe.
    Late(RequestId, Stream, #[serde(with = "serde_bytes")] Vec<u8>),
    /// Whole lines of the guest's journal, kernel messages left out: `<`, the priority's digit, `>`, the unit and a space, and
    /// then what `journalctl -o short-monotonic --no-hostname` prints. A priority or unit that is not known is empty. What
    /// goes on from the line before begins with a space.
    Journal(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Something the agent has to say for the log.
    Note(String),
    /// The guest is up: what a service may rely on is there. Said once in a session.
    Booted,
}

/// Which of a command's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// A command ended by itself.
    Ended {
        /// How.
        how: Ended,
        /// The processes that still hold its outputs, such as `sleep (pid 417)`.
        holders: Vec<String>,
    },
    /// The time-out of the request passed first.
    TimedOut {
        /// What the last look of a wait saw, such as `connection refused`; empty for a command.
        last: String,
    },
    /// A condition holds, or a copy is complete.
    Complete,
    /// [`ToGuest::Cancel`] came first.
    Cancelled,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// It exited with this status.
    Code(u8),
    /// This signal killed it.
    Signal(u8),
}

/// Why the agent could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

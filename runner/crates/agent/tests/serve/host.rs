//! The runner's side of a conversation, for tests.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;
use std::time::Duration;

use vmtest_agent::serve::Agent;
use vmtest_protocol::{
    Decoder, Ended, Failure, Hello, Outcome, PREAMBLE, RequestId, Run, Stream, ToGuest, ToHost,
    encode,
};

/// An agent that hangs fails its test, and does not hang it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runner, and the agent it talks to.
pub(crate) struct Host {
    port: UnixStream,
    decoder: Decoder,
    /// Messages of other requests, in the order in which they came.
    others: VecDeque<ToHost>,
    agent: JoinHandle<std::io::Result<()>>,
    next: RequestId,
}

/// How a command went.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) end: Result<Outcome, Failure>,
}

impl Host {
    /// A runner that has heard the agent's hello, and has not answered.
    pub(crate) fn meet() -> (Self, Hello) {
        let (port, agents_end) = UnixStream::pair().expect("socketpair");
        port.set_read_timeout(Some(PATIENCE))
            .expect("socket option");
        let serve = move || Agent::new(false).converse(&OwnedFd::from(agents_end));
        let mut host = Self {
            port,
            decoder: Decoder::default(),
            others: VecDeque::new(),
            agent: std::thread::spawn(serve),
            next: 0,
        };
        match host.receive() {
            ToHost::Hello(hello) => (host, hello),
            other => panic!("a hello comes first, not {other:?}"),
        }
    }

    /// A runner that has answered the agent's hello.
    pub(crate) fn new() -> Self {
        let (mut host, hello) = Self::meet();
        host.write(&PREAMBLE);
        host.send(&ToGuest::Hello(hello));
        host
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.port.write_all(bytes).expect("written");
    }

    pub(crate) fn send(&mut self, message: &ToGuest) {
        self.write(&encode(message).expect("small enough"));
    }

    pub(crate) fn id(&mut self) -> RequestId {
        self.next += 1;
        self.next
    }

    pub(crate) fn start(&mut self, script: &str, timeout_ms: Option<u64>) -> RequestId {
        self.start_as(Run {
            timeout_ms,
            ..plain(script)
        })
    }

    pub(crate) fn start_as(&mut self, run: Run) -> RequestId {
        let id = self.id();
        self.send(&ToGuest::Run(id, run));
        id
    }

    pub(crate) fn run(&mut self, script: &str) -> Report {
        let id = self.start(script, None);
        self.finish(id)
    }

    /// Everything a command says, to its end.
    pub(crate) fn finish(&mut self, id: RequestId) -> Report {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        loop {
            match self.next_of(id) {
                ToHost::Output(_, Stream::Stdout, data) => stdout.extend(data),
                ToHost::Output(_, Stream::Stderr, data) => stderr.extend(data),
                ToHost::Done(_, end) => {
                    return Report {
                        stdout,
                        stderr,
                        end,
                    };
                }
                other => panic!("no part of a command: {other:?}"),
            }
        }
    }

    /// The next message of a request; those of others are kept.
    pub(crate) fn next_of(&mut self, id: RequestId) -> ToHost {
        let of = |message: &ToHost| match message {
            ToHost::Output(of, ..)
            | ToHost::Data(of, _)
            | ToHost::Credit(of, _)
            | ToHost::Late(of, ..)
            | ToHost::Done(of, _) => *of == id,
            _ => false,
        };
        if let Some(position) = self.others.iter().position(of) {
            return self.others.remove(position).expect("found");
        }
        loop {
            let message = self.receive();
            if of(&message) {
                return message;
            }
            self.others.push_back(message);
        }
    }

    /// The next message, whatever it is.
    pub(crate) fn receive(&mut self) -> ToHost {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(message) = self.decoder.next_message().expect("well-formed") {
                return message;
            }
            let length = self
                .port
                .read(&mut buffer)
                .expect("the agent speaks in time");
            assert!(length > 0, "the agent has gone");
            self.decoder.push(&buffer[..length]);
        }
    }

    /// What came and was not asked for.
    pub(crate) fn others(&self) -> impl Iterator<Item = &ToHost> {
        self.others.iter()
    }

    /// Leaves, and says how the agent took it.
    pub(crate) fn leave(self) -> std::io::Result<()> {
        let Self { port, agent, .. } = self;
        drop(port);
        agent.join().expect("no panic")
    }
}

/// A command without input or time-out, which ends with its process.
pub(crate) fn plain(script: &str) -> Run {
    Run {
        script: script.to_owned(),
        timeout_ms: None,
        wait_for_output: false,
        stdin: false,
    }
}

/// A command's end, when nobody is left behind.
pub(crate) fn ended(how: Ended) -> Outcome {
    Outcome::Ended {
        how,
        holders: Vec::new(),
    }
}

/// The end of a request whose time was over, when there is no more to say.
pub(crate) fn out_of_time() -> Outcome {
    Outcome::TimedOut {
        last: String::new(),
    }
}

impl Report {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("text")
    }

    /// The processes that still held its outputs.
    pub(crate) fn holders(&self) -> &[String] {
        match &self.end {
            Ok(Outcome::Ended { holders, .. }) => holders,
            other => panic!("not ended by itself: {other:?}"),
        }
    }

    pub(crate) fn code(&self) -> u8 {
        match self.end {
            Ok(Outcome::Ended {
                how: Ended::Code(code),
                ..
            }) => code,
            ref other => panic!("not ended by itself: {other:?}"),
        }
    }
}

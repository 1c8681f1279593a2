//! A QEMU without a guest: it takes the steps that stand at the end of its command line, and ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};
use vmtest::vm::plan::{AGENT_FD, CONSOLE_FD, QMP_FD};
use vmtest_protocol::{
    Decoder, Ended, Features, Hello, Outcome, PREAMBLE, Stream, ToGuest, ToHost, VERSION, encode,
};

/// How every command line for QEMU begins.
pub(crate) const FIRST_ARGUMENT: &str = "-name";

/// What stands before the steps.
pub(crate) const STEPS: &str = "-steps";

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut fake = Fake::new();
    let steps = arguments.iter().skip_while(|word| *word != STEPS).skip(1);
    for step in steps {
        let (verb, text) = step.split_once(':').unwrap_or((step, ""));
        if verb == "exit" {
            return ExitCode::from(text.parse::<u8>().expect("an exit code"));
        }
        fake.take(verb, text);
    }
    ExitCode::SUCCESS
}

struct Fake {
    console: UnixStream,
    qmp: UnixStream,
    agent: UnixStream,
    decoder: Decoder,
    session: u64,
    screendumps: mpsc::Receiver<Value>,
}

impl Fake {
    fn new() -> Self {
        let mut qmp = socket(QMP_FD);
        writeln!(
            qmp,
            "{}",
            json!({ "QMP": { "version": {}, "capabilities": [] } })
        )
        .expect("a greeting");
        let (sender, screendumps) = mpsc::channel();
        let monitor = qmp.try_clone().expect("a second descriptor");
        thread::spawn(move || answer_monitor(monitor, &sender));
        Self {
            console: socket(CONSOLE_FD),
            qmp,
            agent: socket(AGENT_FD),
            decoder: Decoder::default(),
            session: 0,
            screendumps,
        }
    }

    fn take(&mut self, verb: &str, text: &str) {
        match verb {
            "stderr" => {
                std::io::stderr().write_all(text.as_bytes()).expect("log");
            }
            "console" => writeln!(self.console, "{text}\r").expect("console"),
            "event" => self.monitor(&serde_json::from_str(text).expect("JSON")),
            "hello" => self.hello(),
            "wrong-version" => self.greet(VERSION + 1),
            "booted" => self.say(&ToHost::Booted),
            "note" => self.say(&ToHost::Note(text.to_owned())),
            "journal" => self.say(&ToHost::Journal(format!("{text}\n").into_bytes())),
            "answer" => self.answer(text.parse().expect("an exit code")),
            "hear" => drop(self.hear()),
            "screendump" => self.refuse_screendump(),
            "hang" => loop {
                thread::park();
            },
            _ => panic!("no step is called `{verb}`"),
        }
    }

    fn refuse_screendump(&mut self) {
        let id = self.screendumps.recv().expect("a monitor");
        let error = json!({ "class": "GenericError", "desc": "no display" });
        self.monitor(&json!({ "error": error, "id": id }));
    }

    /// In one write: the monitor's thread writes, too.
    fn monitor(&mut self, message: &Value) {
        let line = format!("{message}\n");
        self.qmp.write_all(line.as_bytes()).expect("monitor");
    }

    fn hello(&mut self) {
        self.session += 1;
        self.decoder = Decoder::default();
        self.greet(VERSION);
        match self.hear() {
            ToGuest::Hello(hello) => assert_eq!(hello.session, self.session),
            other => panic!("a hello comes first, not {other:?}"),
        }
    }

    fn greet(&mut self, version: u16) {
        self.agent.write_all(&PREAMBLE).expect("agent's port");
        self.say(&ToHost::Hello(Hello {
            version,
            features: Features::default(),
            session: self.session,
        }));
    }

    /// Ends the next command with an exit code; its text is its output.
    fn answer(&mut self, code: u8) {
        match self.hear() {
            ToGuest::Run(id, run) => {
                self.say(&ToHost::Output(id, Stream::Stderr, b"an error".into()));
                self.say(&ToHost::Output(id, Stream::Stdout, run.script.into()));
                self.say(&ToHost::Done(
                    id,
                    Ok(Outcome::Ended {
                        how: Ended::Code(code),
                        holders: Vec::new(),
                    }),
                ));
            }
            other => panic!("a command was expected, not {other:?}"),
        }
    }

    fn say(&mut self, message: &ToHost) {
        let frame = encode(message).expect("small");
        self.agent.write_all(&frame).expect("agent's port");
    }

    fn hear(&mut self) -> ToGuest {
        loop {
            if let Some(message) = self.decoder.next_message().expect("well formed") {
                return message;
            }
            let mut buffer = [0; 1024];
            let length = self.agent.read(&mut buffer).expect("agent's port");
            assert_ne!(length, 0, "the runner has closed the agent's port");
            self.decoder.push(&buffer[..length]);
        }
    }
}

/// Answers what may be asked at any time. A screenshot is a step: so a test can say when the next one may be taken.
fn answer_monitor(mut qmp: UnixStream, screendumps: &mpsc::Sender<Value>) {
    let reader = BufReader::new(qmp.try_clone().expect("a second descriptor"));
    for line in reader.lines().map_while(Result::ok) {
        let command: Value = serde_json::from_str(&line).expect("JSON");
        let id = &command["id"];
        let reply = match command["execute"].as_str() {
            Some("query-status") => json!({ "return": { "status": "internal-error" }, "id": id }),
            Some("screendump") => {
                // The steps may be at their end.
                let _ = screendumps.send(id.clone());
                continue;
            }
            _ => json!({ "return": {}, "id": id }),
        };
        // The runner may be gone.
        let _ = qmp.write_all(format!("{reply}\n").as_bytes());
    }
}

#[expect(unsafe_code, reason = "a descriptor is known by its number only")]
fn socket(number: i32) -> UnixStream {
    // SAFETY: whoever starts QEMU leaves it this descriptor, and each number is asked for once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    descriptor.into()
}

//! A QEMU without a guest: it takes the steps that stand in its command line, and ends.
//!
//! Its channels are descriptors, or, if it was started by a command of the shell, sockets that follow the steps.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use serde_json::{Value, json};
use vmtest::vm::plan::{AGENT_FD, CONSOLE_FD, QMP_FD};
use vmtest_protocol::{
    CHUNK, Decoder, Ended, Features, Hello, Outcome, PREAMBLE, RequestId, Run, Stream, ToGuest,
    ToHost, VERSION, encode,
};

/// How every command line for QEMU begins.
pub(crate) const FIRST_ARGUMENT: &str = "-name";

/// What stands before the steps.
pub(crate) const STEPS: &str = "-steps";

/// What stands after them, with sockets.
const CHARACTER_DEVICE: &str = "-chardev";

/// The id of the guest's boot.
const BOOT: &str = "3f2a8c1e-0000-4000-8000-00000000beef";

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut fake = Fake::new(arguments);
    let steps = arguments.iter().skip_while(|word| *word != STEPS).skip(1);
    let steps = steps.take_while(|word| *word != CHARACTER_DEVICE);
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
    /// What the guest's root shell reads and writes, if it has one.
    shell: Option<BufReader<UnixStream>>,
    decoder: Decoder,
    session: u64,
    /// The last command.
    command: RequestId,
    screendumps: mpsc::Receiver<Value>,
    monitor: Arc<Mutex<Monitor>>,
}

/// What the monitor's answers depend on.
#[derive(Default)]
struct Monitor {
    /// What the machine can write to, beside its disks.
    drives: Vec<Value>,
    /// A command that is refused, if this QEMU goes on from a state.
    refused: Option<String>,
}

impl Fake {
    fn new(arguments: &[String]) -> Self {
        let mut after = arguments.iter().skip_while(|word| *word != STEPS);
        let by_command = after.any(|word| word == CHARACTER_DEVICE);
        let (console, mut qmp, agent, shell) = if by_command {
            let connect = |name| connect(arguments, name);
            let shell = BufReader::new(connect("vmtest-shell"));
            let qmp = connect("vmtest-qmp");
            (socket(1), qmp, connect("vmtest-agent"), Some(shell))
        } else {
            (socket(CONSOLE_FD), socket(QMP_FD), socket(AGENT_FD), None)
        };
        writeln!(
            qmp,
            "{}",
            json!({ "QMP": { "version": {}, "capabilities": [] } })
        )
        .expect("a greeting");
        let (sender, screendumps) = mpsc::channel();
        let channel = qmp.try_clone().expect("a second descriptor");
        let mut refused =
            (arguments.iter()).filter_map(|word| word.strip_prefix("refuse-restored:"));
        let is_restored = arguments.iter().any(|word| word == "-incoming");
        let monitor = Arc::new(Mutex::new(Monitor {
            refused: refused.next().filter(|_| is_restored).map(str::to_owned),
            ..Monitor::default()
        }));
        let seen = Arc::clone(&monitor);
        thread::spawn(move || answer_monitor(channel, &sender, &seen));
        Self {
            console,
            qmp,
            agent,
            shell,
            decoder: Decoder::default(),
            session: 0,
            command: 0,
            screendumps,
            monitor,
        }
    }

    fn take(&mut self, verb: &str, text: &str) {
        match verb {
            "stderr" => {
                std::io::stderr().write_all(text.as_bytes()).expect("log");
            }
            "console" => writeln!(self.console, "{text}\r").expect("console"),
            "event" => self.say_on_monitor(&serde_json::from_str(text).expect("JSON")),
            "prompt" => self.console.write_all(text.as_bytes()).expect("console"),
            "typed" => self.read_console(text),
            "announce" => self.shell(&format!("\r\n{text}\r\n")),
            "install" => self.install(text),
            "complain" => self.shell(&format!("vmtest-agent: {text}\r\n")),
            "hello" => self.hello(),
            "wrong-version" => self.greet(VERSION + 1),
            "booted" => self.say(&ToHost::Booted),
            "note" => self.say(&ToHost::Note(text.to_owned())),
            "journal" => self.say(&ToHost::Journal(format!("{text}\n").into_bytes())),
            "answer" => self.answer(text.parse().expect("an exit code")),
            "drive" => {
                let drive = json!({ "node-name": "extra", "ro": false, "file": text });
                self.monitor.lock().expect("monitor").drives.push(drive);
            }
            // The monitor knows from the beginning.
            "refuse-restored" => {}
            "sync" => self.answer_sync(),
            "hear" => drop(self.hear()),
            "held" => self.answer_and_hold(text),
            "shell" => self.echo_until(text),
            "late" => self.print_late(text),
            "flood" => self.flood(text.parse().expect("a number of MiB")),
            "screendump" => self.refuse_screendump(),
            "hang" => loop {
                thread::park();
            },
            _ => panic!("no step is called `{verb}`"),
        }
    }

    fn shell(&mut self, text: &str) {
        let shell = self.shell.as_mut().expect("a root shell");
        shell.get_mut().write_all(text.as_bytes()).expect("shell");
    }

    /// What the shell is told up to this line.
    fn told(&mut self, last: &str) -> String {
        let shell = self.shell.as_mut().expect("a root shell");
        let mut told = String::new();
        while !told.ends_with(last) {
            let length = shell.read_line(&mut told).expect("shell");
            assert_ne!(length, 0, "the runner says no more than {told}");
        }
        told
    }

    /// Answers as a root shell does, and takes the agent's program, which is this.
    fn install(&mut self, program: &str) {
        let question = self.told("\n");
        assert!(question.contains("/proc/sys/kernel/random/boot_id"));
        self.shell(&format!("\r\nvmtest-boot:{BOOT}:\r\n"));
        let script = self.told("&\n");
        assert!(script.contains(BOOT), "{script}");
        assert!(script.contains(&format!("head -c {}", program.len())));
        let mut words = script.split(['\'', '\n']);
        let mark = words.find(|word| word.starts_with("vmtest-parcel"));
        let parcel = format!("\n{}\n{program}", mark.expect("a mark"));
        let mut port = vec![0; parcel.len()];
        self.agent.read_exact(&mut port).expect("agent's port");
        assert_eq!(String::from_utf8_lossy(&port), parcel);
    }

    fn refuse_screendump(&mut self) {
        let id = self.screendumps.recv().expect("a monitor");
        let error = json!({ "class": "GenericError", "desc": "no display" });
        self.say_on_monitor(&json!({ "error": error, "id": id }));
    }

    /// In one write: the monitor's thread writes, too.
    fn say_on_monitor(&mut self, message: &Value) {
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
        let run = self.command();
        self.print(Stream::Stderr, b"an error");
        self.print(Stream::Stdout, run.script.as_bytes());
        self.end(code, &[]);
    }

    fn answer_sync(&mut self) {
        let ToGuest::Sync(id) = self.hear() else {
            panic!("a sync was expected");
        };
        self.say(&ToHost::Done(id, Ok(Outcome::Complete)));
    }

    /// Ends the next command, whose output some process still holds.
    fn answer_and_hold(&mut self, holder: &str) {
        self.command();
        self.print(Stream::Stdout, b"output\n");
        self.end(0, &[holder]);
    }

    /// So many MiB of standard output, as fast as the runner takes them, and as many of standard error.
    fn flood(&mut self, mebibytes: usize) {
        self.command();
        let piece = [
            b"0123456789abcde\n".repeat(2047),
            b"xxxxxxxxxxxxxxxx".to_vec(),
        ]
        .concat();
        assert_eq!(piece.len(), CHUNK);
        for _ in 0..mebibytes * ((1 << 20) / CHUNK) {
            self.print(Stream::Stdout, &piece);
            self.print(Stream::Stderr, &piece);
        }
        self.end(0, &[]);
    }

    /// Is a shell that prints what it reads, until that is a certain word.
    fn echo_until(&mut self, last: &str) {
        assert!(self.command().stdin, "a shell reads");
        loop {
            let data = match self.hear() {
                ToGuest::Data(id, data) if id == self.command => data,
                other => panic!("input was expected, not {other:?}"),
            };
            self.say(&ToHost::Credit(self.command, data.len() as u64));
            if data == last.as_bytes() {
                break;
            }
            self.print(Stream::Stdout, &data);
        }
        self.print(Stream::Stderr, b"bye");
        self.end(0, &[]);
    }

    fn print_late(&mut self, text: &str) {
        let line = format!("{text}\n").into_bytes();
        self.say(&ToHost::Late(self.command, Stream::Stdout, line));
    }

    fn command(&mut self) -> Run {
        match self.hear() {
            ToGuest::Run(id, run) => {
                self.command = id;
                run
            }
            other => panic!("a command was expected, not {other:?}"),
        }
    }

    fn print(&mut self, stream: Stream, bytes: &[u8]) {
        self.say(&ToHost::Output(self.command, stream, bytes.to_vec()));
    }

    fn end(&mut self, code: u8, holders: &[&str]) {
        let outcome = Outcome::Ended {
            how: Ended::Code(code),
            holders: holders.iter().map(|&holder| holder.to_owned()).collect(),
        };
        self.say(&ToHost::Done(self.command, Ok(outcome)));
    }

    fn read_console(&mut self, expected: &str) {
        let mut typed = vec![0; expected.len()];
        self.console.read_exact(&mut typed).expect("console");
        assert_eq!(typed, expected.as_bytes());
    }

    fn say(&mut self, message: &ToHost) {
        let frame = encode(message).expect("small");
        self.agent.write_all(&frame).expect("agent's port");
    }

    fn hear(&mut self) -> ToGuest {
        loop {
            match self.decoder.next_message().expect("well formed") {
                // It says hello by itself, before or after.
                Some(ToGuest::Resume(_)) => continue,
                Some(message) => return message,
                None => {}
            }
            let mut buffer = [0; 1024];
            let length = self.agent.read(&mut buffer).expect("agent's port");
            assert_ne!(length, 0, "the runner has closed the agent's port");
            self.decoder.push(&buffer[..length]);
        }
    }
}

/// Answers what may be asked at any time. A screenshot is a step: so a test can say when the next one may be taken.
fn answer_monitor(
    mut qmp: UnixStream,
    screendumps: &mpsc::Sender<Value>,
    monitor: &Mutex<Monitor>,
) {
    let mut heard = Vec::new();
    let reader = BufReader::new(qmp.try_clone().expect("a second descriptor"));
    for line in reader.lines().map_while(Result::ok) {
        let command: Value = serde_json::from_str(&line).expect("JSON");
        let (id, arguments) = (&command["id"], &command["arguments"]);
        let name = command["execute"].as_str().expect("a command");
        heard.push(format!("{name} {arguments}"));
        let refused = monitor.lock().expect("monitor").refused.clone();
        let reply = match name {
            name if refused.as_deref() == Some(name) => {
                let error = json!({ "class": "GenericError", "desc": "no" });
                json!({ "error": error, "id": id })
            }
            "query-status" => json!({ "return": { "status": "internal-error" }, "id": id }),
            "screendump" if arguments["format"] == "ppm" => {
                let path = arguments["filename"].as_str().expect("a path");
                std::fs::write(path, b"P6\n2 1\n255\n\x00\x00\x00\xff\xff\xff").expect("a file");
                json!({ "return": {}, "id": id })
            }
            "screendump" => {
                // The steps may be at their end.
                let _ = screendumps.send(id.clone());
                continue;
            }
            "human-monitor-command" => {
                let line = arguments["command-line"].as_str().expect("a line");
                let answer = match line {
                    "hostfwd_add tcp::1-:80" => "could not set up host forwarding rule\r\n",
                    line if line.starts_with("hostfwd_add ") => "",
                    _ => "unknown command\r\n",
                };
                json!({ "return": answer, "id": id })
            }
            "query-named-block-nodes" => {
                json!({ "return": monitor.lock().expect("monitor").drives, "id": id })
            }
            "migrate" => {
                let uri = arguments["uri"].as_str().expect("a file");
                let path = uri.strip_prefix("file:").expect("a file");
                std::fs::write(path, "the state of devices").expect("a file");
                json!({ "return": {}, "id": id })
            }
            "query-migrate" => json!({ "return": { "status": "completed" }, "id": id }),
            "heard" => json!({ "return": heard, "id": id }),
            "nonsense" => {
                let error = json!({ "class": "CommandNotFound", "desc": "no such command" });
                json!({ "error": error, "id": id })
            }
            _ => json!({ "return": {}, "id": id }),
        };
        // The runner may be gone.
        let _ = qmp.write_all(format!("{reply}\n").as_bytes());
    }
}

/// The socket that a character device of this name is.
fn connect(arguments: &[String], name: &str) -> UnixStream {
    let start = format!("socket,id={name},path=");
    let path = arguments.iter().find_map(|word| word.strip_prefix(&start));
    UnixStream::connect(path.expect("a socket")).expect("the runner listens")
}

#[expect(unsafe_code, reason = "a descriptor is known by its number only")]
fn socket(number: i32) -> UnixStream {
    // SAFETY: whoever starts QEMU leaves it this descriptor, and each number is asked for once.
    let descriptor = unsafe { OwnedFd::from_raw_fd(number) };
    descriptor.into()
}

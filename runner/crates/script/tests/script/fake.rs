//! A backend without machines, with a clock that only sleeping moves.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use vmtest_script::Script;
use vmtest_script::backend::{
    Aborted, Command, Completed, Condition, ConsoleText, Driver, ExitStatus, Machine, MachineError,
    MachineErrorKind, NewMachine, Shell, Start, WaitOutcome,
};
use vmtest_script::event::{ScriptEvent, Stream};
use vmtest_script::failure::Failure;

/// What all parts of one fake world share.
pub(crate) struct World {
    started: Instant,
    passed: Mutex<Duration>,
    log: Mutex<String>,
    out_dir: PathBuf,
    gate: Mutex<Receiver<()>>,
    opener: Mutex<Sender<()>>,
    when_stopped: Mutex<Option<OnStop>>,
}

type OnStop = Box<dyn FnOnce(Aborted) + Send>;

/// A fake driver.
pub(crate) struct FakeDriver {
    world: Arc<World>,
    machines: Vec<Arc<dyn Machine>>,
    vlans: Vec<u32>,
}

/// A fake machine. Its "shell" knows a few words; see [`answer`].
pub(crate) struct FakeMachine {
    world: Arc<World>,
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    booted: bool,
    connected: bool,
    pid: u32,
}

/// What came of a script.
pub(crate) struct Run {
    pub(crate) result: Result<(), Failure>,
    /// Events and calls of the backend, one a line, as a console would show them.
    pub(crate) log: String,
}

impl Run {
    /// Everything, for a snapshot.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let lines: Vec<&str> = self.log.lines().collect();
        for same in lines.chunk_by(|a, b| a == b) {
            text.push_str(same[0]);
            if same.len() > 1 {
                let _ = write!(text, " ({} times)", same.len());
            }
            text.push('\n');
        }
        match &self.result {
            Ok(()) => text.push_str("==> passed\n"),
            Err(failure) => {
                let Failure {
                    kind, line, column, ..
                } = failure;
                let _ = writeln!(text, "==> {kind:?} at {line:?} {column:?}\n{failure}");
            }
        }
        text
    }
}

/// Runs a script with machines of these names.
pub(crate) fn run_with(machines: &[&str], script: &str) -> Run {
    let world = World::new();
    let machines = machines.iter().map(|name| {
        let machine: Arc<dyn Machine> = Arc::new(FakeMachine {
            world: Arc::clone(&world),
            name: (*name).to_owned(),
            state: Mutex::default(),
        });
        machine
    });
    let driver = FakeDriver {
        world: Arc::clone(&world),
        machines: machines.collect(),
        vlans: vec![1, 7],
    };
    let script = Script {
        name: "testScript".to_owned(),
        text: script.to_owned(),
    };
    let result = vmtest_script::run(&script, Arc::new(driver));
    let log = world.log.lock().expect("log").clone();
    Run { result, log }
}

/// Runs a script with one machine, `server`.
pub(crate) fn run(script: &str) -> Run {
    run_with(&["server"], script)
}

/// Runs a script that must pass, and returns what it printed.
pub(crate) fn printed(script: &str) -> String {
    let run = run(script);
    if let Err(failure) = &run.result {
        panic!("{failure}");
    }
    let lines = run
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("out: "));
    lines.collect::<Vec<_>>().join("\n")
}

impl World {
    fn new() -> Arc<Self> {
        let (opener, gate) = channel();
        Arc::new(Self {
            started: Instant::now(),
            passed: Mutex::default(),
            log: Mutex::default(),
            out_dir: PathBuf::from("/fake/out"),
            gate: Mutex::new(gate),
            opener: Mutex::new(opener),
            when_stopped: Mutex::default(),
        })
    }

    fn note(&self, line: &str) {
        let mut log = self.log.lock().expect("log");
        log.push_str(line);
        log.push('\n');
    }

    fn passed(&self) -> Duration {
        *self.passed.lock().expect("clock")
    }

    fn pass(&self, duration: Duration) {
        *self.passed.lock().expect("clock") += duration;
    }
}

impl Driver for FakeDriver {
    fn machines(&self) -> &[Arc<dyn Machine>] {
        &self.machines
    }

    fn vlans(&self) -> &[u32] {
        &self.vlans
    }

    fn out_dir(&self) -> &Path {
        &self.world.out_dir
    }

    fn tmp_dir(&self) -> &Path {
        Path::new("/fake/tmp")
    }

    fn shared_dir(&self) -> &Path {
        Path::new("/fake/tmp/shared-xchg")
    }

    fn create_machine(&self, machine: &NewMachine) -> Result<Arc<dyn Machine>, MachineError> {
        self.world.note(&format!("<create {machine:?}>"));
        Ok(Arc::new(FakeMachine {
            world: Arc::clone(&self.world),
            name: machine.name.clone().unwrap_or("machine".to_owned()),
            state: Mutex::default(),
        }))
    }

    fn show_consoles(&self, on: bool) {
        self.world.note(&format!("<show consoles {on}>"));
    }

    fn when_stopped(&self, act: Box<dyn FnOnce(Aborted) + Send>) {
        *self.world.when_stopped.lock().expect("stop") = Some(act);
    }

    fn event(&self, event: ScriptEvent) {
        self.world.note(&render(&event));
    }

    fn now(&self) -> Instant {
        self.world.started + self.world.passed()
    }

    fn sleep(&self, duration: Duration) -> Result<(), Aborted> {
        self.world.pass(duration);
        Ok(())
    }
}

fn render(event: &ScriptEvent) -> String {
    let with = |machine: &Option<String>, text: &str| match machine {
        Some(machine) => format!("{machine}: {text}"),
        None => text.to_owned(),
    };
    let inside = |parent: &Option<_>| if parent.is_some() { "> " } else { "" };
    match event {
        ScriptEvent::StepStarted {
            machine,
            message,
            parent,
            ..
        } => {
            format!("{}{}", inside(parent), with(machine, message))
        }
        ScriptEvent::StepFinished {
            machine,
            message,
            elapsed,
            passed,
            ..
        } => {
            let seconds = elapsed.as_secs_f64();
            let word = if *passed { "finished" } else { "broken off" };
            with(
                machine,
                &format!("({word}: {message}, in {seconds:.2} seconds)"),
            )
        }
        ScriptEvent::SubtestStarted { parent, name, .. } => {
            format!("{}subtest: {name}", inside(parent))
        }
        ScriptEvent::SubtestFinished { name, error, .. } => format!("(subtest {name}: {error:?})"),
        ScriptEvent::Message {
            level,
            machine,
            text,
        } => {
            format!("[{level:?}] {}", with(machine, text.trim_end()))
        }
        ScriptEvent::Print {
            stream: Stream::Stdout,
            text,
        } => format!("out: {text}"),
        ScriptEvent::Print {
            stream: Stream::Stderr,
            text,
        } => format!("err: {text}"),
    }
}

impl FakeMachine {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("state")
    }

    fn note(&self, call: &str) {
        self.world.note(&format!("<{}: {call}>", self.name));
    }

    fn error(&self, kind: MachineErrorKind) -> MachineError {
        MachineError {
            machine: self.name.clone(),
            kind,
        }
    }
}

impl Machine for FakeMachine {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self, start: &Start) -> Result<(), MachineError> {
        let Start {
            allow_reboot,
            state_dir,
        } = start;
        let state_dir = match state_dir {
            Some(state_dir) => format!(" in {}", state_dir.display()),
            None => String::new(),
        };
        self.note(&format!("start allow_reboot={allow_reboot}{state_dir}"));
        let mut state = self.state();
        state.booted = true;
        state.pid += 100;
        Ok(())
    }

    fn connect(&self) -> Result<(), MachineError> {
        self.note("connect");
        self.world.pass(Duration::from_millis(1500));
        let mut state = self.state();
        if !state.booted {
            let status = "killed by signal 9".to_owned();
            return Err(self.error(MachineErrorKind::Died { status }));
        }
        state.connected = true;
        Ok(())
    }

    fn is_booted(&self) -> bool {
        self.state().booted
    }

    fn is_connected(&self) -> bool {
        self.state().connected
    }

    fn reconnect(&self) -> Result<(), MachineError> {
        self.note("reconnect");
        self.state().connected = true;
        Ok(())
    }

    fn exit_status(&self) -> Option<i32> {
        let state = self.state();
        (!state.booted && state.pid > 0).then_some(0)
    }

    fn state_dir(&self) -> &Path {
        Path::new("/fake/state")
    }

    fn open_shell(&self) -> Result<Box<dyn Shell>, MachineError> {
        let reason = "the fake has no shell".to_owned();
        Err(self.error(MachineErrorKind::Refused { reason }))
    }

    fn read_screen(
        &self,
        variants: bool,
        seen: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), MachineError> {
        self.note(&format!("read_screen variants={variants}"));
        let texts = ["first text", "second text"];
        let count = if variants { texts.len() } else { 1 };
        texts[..count].iter().any(|text| seen((*text).to_owned()));
        Ok(())
    }

    fn monitor(&self, command: &str) -> Result<String, MachineError> {
        self.note(&format!("monitor `{command}`"));
        Ok(String::new())
    }

    fn qmp(&self, command: &str, arguments: &str) -> Result<String, MachineError> {
        self.note(&format!("qmp {command} {arguments}"));
        Ok("{}".to_owned())
    }

    fn next_qmp_event(&self, timeout: Option<Duration>) -> Result<Option<String>, MachineError> {
        self.world.pass(timeout.unwrap_or_default());
        Ok(None)
    }

    fn send_console(&self, bytes: &[u8]) -> Result<(), MachineError> {
        self.note(&format!(
            "send_console {:?}",
            String::from_utf8_lossy(bytes)
        ));
        Ok(())
    }

    fn console_text(
        &self,
        position: u64,
        timeout: Option<Duration>,
    ) -> Result<ConsoleText, MachineError> {
        self.world.pass(timeout.unwrap_or_default());
        Ok(ConsoleText {
            text: String::new(),
            end: position,
            running: self.state().booted,
        })
    }

    fn set_links(&self, up: bool) -> Result<(), MachineError> {
        self.note(&format!("set_links {up}"));
        Ok(())
    }

    fn forward_port(&self, host_port: u16, guest_port: u16) -> Result<(), MachineError> {
        self.note(&format!("forward_port {host_port} {guest_port}"));
        Ok(())
    }

    fn pid(&self) -> Option<u32> {
        let state = self.state();
        state.booted.then_some(state.pid)
    }

    fn run(&self, command: &Command) -> Result<Completed, MachineError> {
        let text = command.script.strip_prefix("set -euo pipefail; ");
        let text = text.expect("every command has the promised shell options");
        let timeout = command
            .timeout
            .map_or("no".to_owned(), |limit| format!("{limit:?}"));
        let detached = if command.detached { " detached" } else { "" };
        self.note(&format!("run `{text}` timeout {timeout}{detached}"));
        self.answer(text)
    }

    fn wait(
        &self,
        condition: &Condition,
        timeout: Option<Duration>,
    ) -> Result<WaitOutcome, MachineError> {
        self.note(&format!("wait {condition:?} {timeout:?}"));
        if matches!(
            condition,
            Condition::TcpOpen { port: 3000, .. } | Condition::TcpClosed { .. }
        ) {
            return Ok(WaitOutcome::Met);
        }
        self.world.pass(timeout.unwrap_or_default());
        Ok(WaitOutcome::TimedOut {
            last: "connection refused".to_owned(),
        })
    }

    fn copy_in(&self, source: &Path, target: &str) -> Result<(), MachineError> {
        self.note(&format!("copy_in {} {target}", source.display()));
        Ok(())
    }

    fn copy_out(&self, source: &str, target_dir: &Path) -> Result<(), MachineError> {
        self.note(&format!("copy_out {source} {}", target_dir.display()));
        if source.contains("missing") {
            let reason = format!("cannot read {source}: no such file or directory");
            return Err(self.error(MachineErrorKind::Refused { reason }));
        }
        Ok(())
    }

    fn power_off(&self) -> Result<(), MachineError> {
        self.note("power_off");
        *self.state() = State::default();
        Ok(())
    }

    fn wait_for_shutdown(&self, _timeout: Option<Duration>) -> Result<(), MachineError> {
        self.note("wait_for_shutdown");
        Ok(())
    }

    fn crash(&self) -> Result<(), MachineError> {
        self.note("crash");
        *self.state() = State::default();
        Ok(())
    }

    fn reset(&self) -> Result<(), MachineError> {
        self.note("reset");
        self.state().connected = false;
        Ok(())
    }

    fn screenshot(&self, path: &Path) -> Result<(), MachineError> {
        self.note(&format!("screenshot {}", path.display()));
        Ok(())
    }
}

impl FakeMachine {
    fn answer(&self, text: &str) -> Result<Completed, MachineError> {
        let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
        let seconds = || {
            rest.parse::<f64>()
                .map(Duration::from_secs_f64)
                .expect("seconds")
        };
        let died = || MachineErrorKind::Died {
            status: "killed by signal 9".to_owned(),
        };
        match word {
            "echo" => Ok(completed(0, &format!("{rest}\n"), "")),
            "fail" => Ok(completed(3, "half\n", &format!("{rest}\n"))),
            "bytes" => Ok(Completed {
                status: ExitStatus::Code(0),
                stdout: vec![b'a', 0xff, b'b'],
                stderr: Vec::new(),
            }),
            "hang" => Ok(Completed {
                status: ExitStatus::TimedOut,
                ..completed(0, "", "")
            }),
            "segv" => Ok(Completed {
                status: ExitStatus::Signal(11),
                ..completed(0, "", "")
            }),
            // Succeeds from so many seconds of the fake clock on.
            "after" if self.world.passed() >= seconds() => Ok(completed(0, "there\n", "")),
            "after" => Ok(completed(1, "", "not there\n")),
            "die" => {
                *self.state() = State::default();
                Err(self.error(died()))
            }
            "panic" => {
                let message = "Kernel panic - not syncing: sysrq".to_owned();
                Err(self.error(MachineErrorKind::Panicked { message }))
            }
            "close" => Err(self.error(MachineErrorKind::Closed)),
            "stop" => {
                let reason = "its time of 60 seconds is over".to_owned();
                Err(self.error(MachineErrorKind::Aborted { reason }))
            }
            // Two threads that only go on together: one waits for the other.
            "wait-for-gate" => {
                self.world
                    .gate
                    .lock()
                    .expect("gate")
                    .recv()
                    .expect("an opener");
                Ok(completed(0, "", ""))
            }
            "open-gate" => {
                self.world
                    .opener
                    .lock()
                    .expect("opener")
                    .send(())
                    .expect("a gate");
                Ok(completed(0, "", ""))
            }
            "systemctl" => Ok(self.systemctl(rest)),
            "su" => {
                let query = rest.split("systemctl --user ").nth(1).expect("a query");
                Ok(self.systemctl(query.trim_end_matches('\'')))
            }
            "test" if rest.contains("never") => Ok(completed(1, "", "")),
            "sleep" | "sync" | "test" | "true" => Ok(completed(0, "", "")),
            _ => Ok(completed(127, "", &format!("{word}: command not found\n"))),
        }
    }

    /// Units: `late` is active after 3 s, `broken` fails after 1 s, `asleep` has no job, `gone` does not exist.
    fn systemctl(&self, query: &str) -> Completed {
        let passed = self.world.passed() - Duration::from_millis(1500);
        if query.contains("list-jobs") {
            return completed(0, "No jobs running.\n", "");
        }
        let unit = query.split('"').nth(1).unwrap_or("");
        let seconds = passed.as_secs();
        let state = match unit {
            "late.service" if seconds < 3 => "activating",
            "broken.service" if seconds < 1 => "activating",
            "broken.service" => "failed",
            "asleep.service" => "inactive",
            "gone.service" => return completed(1, "", "no such unit\n"),
            _ => "active",
        };
        let text = if query.contains("--property") {
            format!("ActiveState={state}\n")
        } else {
            format!("Id={unit}\nActiveState={state}\nExecStart={{ path=/bin/x ; argv[]=a=b }}\n")
        };
        completed(0, &text, "")
    }
}

fn completed(code: i32, stdout: &str, stderr: &str) -> Completed {
    Completed {
        status: ExitStatus::Code(code),
        stdout: stdout.into(),
        stderr: stderr.into(),
    }
}

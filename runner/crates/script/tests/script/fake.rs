//! A backend without machines, with a clock that only sleeping moves.

mod guest;
mod machine;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use vmtest_script::backend::{Aborted, Driver, Machine, MachineError, NewMachine};
use vmtest_script::event::{ScriptEvent, Stream};
use vmtest_script::failure::Failure;
use vmtest_script::{Mode, Script};

use machine::FakeMachine;

/// What all parts of one fake world share.
pub(crate) struct World {
    started: Instant,
    passed: Mutex<Duration>,
    log: Mutex<String>,
    out_dir: PathBuf,
    gate: Mutex<Receiver<()>>,
    opener: Mutex<Sender<()>>,
    when_stopped: Mutex<Option<OnStop>>,
    snapshots: AtomicU64,
}

type OnStop = Box<dyn FnOnce(Aborted) + Send>;

/// A fake driver.
pub(crate) struct FakeDriver {
    world: Arc<World>,
    machines: Vec<Arc<dyn Machine>>,
    vlans: Vec<u32>,
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
    run_with_packages(machines, script, Vec::new())
}

/// The same, with Python packages from these folders.
pub(crate) fn run_with_packages(machines: &[&str], script: &str, python_path: Vec<PathBuf>) -> Run {
    run_script(
        machines,
        &Script {
            name: "testScript".to_owned(),
            text: script.to_owned(),
            python_path,
            mode: Mode::Script,
            keep_going: false,
        },
    )
}

/// Runs a script that goes on after a failed subtest, with one machine, `server`.
pub(crate) fn run_on(script: &str) -> Run {
    run_script(
        &["server"],
        &Script {
            name: "testScript".to_owned(),
            text: script.to_owned(),
            python_path: Vec::new(),
            mode: Mode::Script,
            keep_going: true,
        },
    )
}

fn run_script(machines: &[&str], script: &Script) -> Run {
    let world = World::new();
    let machines = machines.iter().map(|name| {
        let machine: Arc<dyn Machine> = Arc::new(FakeMachine::new(&world, name));
        machine
    });
    let driver = FakeDriver {
        world: Arc::clone(&world),
        machines: machines.collect(),
        vlans: vec![1, 7],
    };
    let result = vmtest_script::run(script, Arc::new(driver));
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
            snapshots: AtomicU64::new(0),
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
        let name = machine.name.as_deref().unwrap_or("machine");
        Ok(Arc::new(FakeMachine::new(&self.world, name)))
    }

    fn snapshot(&self, machines: &[String]) -> Result<u64, MachineError> {
        let number = self.world.snapshots.fetch_add(1, Ordering::Relaxed);
        self.world
            .note(&format!("snapshot {number} of {}", machines.join(", ")));
        Ok(number)
    }

    fn restore(&self, snapshot: u64, machines: &[String]) -> Result<(), MachineError> {
        self.world.note(&format!(
            "restore {} to snapshot {snapshot}",
            machines.join(", ")
        ));
        Ok(())
    }

    fn forget_snapshot(&self, snapshot: u64) {
        self.world.note(&format!("forget snapshot {snapshot}"));
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
        ScriptEvent::SubtestFinished {
            name,
            failure: Some(failure),
            ..
        } => format!("(subtest {name} failed, and the script goes on)\n{failure}"),
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

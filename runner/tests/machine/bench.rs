//! A machine to try.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tempfile::TempDir;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vmtest::event::{Event, Events, Stamped};
use vmtest::machine::lifecycle::State;
use vmtest::machine::{Handle, Setup};
use vmtest::report::Terminal;
use vmtest::spec::{Image, Interface, Mac, Machine, Network};
use vmtest::vm::accel::Accelerator;
use vmtest::vm::launch::{Copies, Launch, Planned};
use vmtest::vm::plan::{Boot, Disks, Files};
use vmtest::vm::start_command::StartCommand;
use vmtest_manifest::{self as manifest, Disk};
use vmtest_script::backend::{Command, MachineErrorKind as Failure};

use crate::fake_qemu::STEPS;

/// A test and its name.
pub(crate) type Test = (&'static str, fn());

/// How long a test may take; none needs a tenth of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// What QEMU says when the guest has powered off.
pub(crate) const POWERED_OFF: &str =
    r#"event:{"event":"SHUTDOWN","data":{"guest":true,"reason":"guest-shutdown"}}"#;

/// What QEMU says when the guest was reset and it may not survive that.
pub(crate) const LAST_RESET: &str =
    r#"event:{"event":"SHUTDOWN","data":{"guest":true,"reason":"guest-reset"}}"#;

/// What QEMU says when the guest was reset and it goes on.
pub(crate) const RESET: &str =
    r#"event:{"event":"RESET","data":{"guest":true,"reason":"guest-reset"}}"#;

/// What QEMU says when the agent is gone.
pub(crate) const PORT_CLOSED: &str =
    r#"event:{"event":"VSERPORT_CHANGE","data":{"open":false,"id":"agent-port"}}"#;

/// The program that is brought into guests.
pub(crate) const AGENT: &str = "the agent's program";

/// The program that reads a machine's screen, in the folder of its logs.
const READER: &str = "tesseract";

/// Runs a test on a runtime of its own.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(async { timeout(PATIENCE, test).await.expect("the test hangs") });
}

/// A machine, its logs and its events.
pub(crate) struct Bench {
    logs: TempDir,
    pub(crate) handle: Handle,
    events: UnboundedReceiver<Stamped>,
    pub(crate) task: JoinHandle<()>,
}

impl Bench {
    /// A machine whose QEMU takes these steps at every start.
    pub(crate) fn new(steps: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        Self::with(&program, steps, PATIENCE)
    }

    pub(crate) fn with(qemu: &Path, steps: &[&str], boot_timeout: Duration) -> Self {
        let logs = tempfile::tempdir().expect("folder");
        Self::with_machine(logs, qemu, machine(steps, boot_timeout))
    }

    /// A machine whose screen is read by a program that says what picture it gets.
    pub(crate) fn seen(steps: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let reader = "#!/bin/sh\nread magic; read size; cat > /dev/null; echo \"$magic $size\"\n";
        let folder = tempfile::tempdir().expect("folder");
        // Not by this process: one that it forks meanwhile would hold the file open, and it could not be run.
        let write = r#"printf %s "$1" > "$0"; chmod +x "$0""#;
        let mut shell = std::process::Command::new("/bin/sh");
        shell
            .args(["-c", write])
            .arg(folder.path().join(READER))
            .arg(reader);
        assert!(shell.status().expect("a shell").success());
        Self::with_machine(folder, &program, machine(steps, PATIENCE))
    }

    /// A machine that is on a VLAN.
    pub(crate) fn on_vlan(steps: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let interface = Interface {
            name: "eth1".into(),
            vlan: 1,
            mac: Mac([0x52, 0x54, 0, 0x12, 1, 1]),
            addresses: Vec::new(),
        };
        let machine = Machine {
            interfaces: vec![interface],
            ..machine(steps, PATIENCE)
        };
        let logs = tempfile::tempdir().expect("folder");
        Self::with_machine(logs, &program, machine)
    }

    /// A machine that has an [empty disk](Self::disk).
    pub(crate) fn with_disk(steps: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        let machine = Machine {
            disks: vec![Disk {
                size: 1,
                serial: "disk0".to_owned(),
            }],
            ..machine(steps, PATIENCE)
        };
        let bench = Self::with_machine(tempfile::tempdir().expect("folder"), &program, machine);
        fs::write(bench.disk(), "new").expect("written");
        bench
    }

    pub(crate) fn disk(&self) -> PathBuf {
        self.scratch("disk0.img")
    }

    /// What the disk begins with.
    pub(crate) fn disk_content(&self) -> String {
        let content = fs::read(self.disk()).expect("a disk");
        let content = String::from_utf8_lossy(&content).into_owned();
        content.trim_end_matches('\0').to_owned()
    }

    fn with_machine(logs: TempDir, qemu: &Path, machine: Machine) -> Self {
        let boot_timeout = machine.boot_timeout;
        let disks = Disks::of(&machine, logs.path());
        let planned = Planned {
            qemu: qemu.to_owned(),
            accelerator: Accelerator::Kvm,
            machine,
            files: Files {
                boot: Boot {
                    kernel: "/kernel".into(),
                    initrd: "/initrd".into(),
                    root: "/root".into(),
                },
                disks,
            },
            scratch: logs.path().to_owned(),
            copies: Copies::default(),
        };
        Self::with_launch(logs, Launch::Planned(Box::new(planned)), boot_timeout)
    }

    /// A machine that this command of the shell starts, in this folder. Its agent is [`AGENT`].
    pub(crate) fn by_command(folder: TempDir, command: &str) -> Self {
        let agent = folder.path().join("the agent");
        fs::write(&agent, AGENT).expect("written");
        let launch = Launch::Command(StartCommand {
            name: "server".into(),
            command: command.trim_end().into(),
            qemu_options: Vec::new(),
            shared_dir: folder.path().to_owned(),
            agent,
            vlans: BTreeMap::new(),
        });
        Self::with_launch(folder, launch, PATIENCE)
    }

    fn with_launch(logs: TempDir, launch: Launch, boot_timeout: Duration) -> Self {
        let (events, receiver) = Events::new();
        let tesseract = logs.path().join(READER);
        let (handle, task) = Handle::new(Setup {
            name: "server".into(),
            boot_timeout,
            turns: None,
            launch,
            accelerator: Accelerator::Kvm,
            switches: BTreeMap::new(),
            logs: logs.path().to_owned(),
            state_dir: logs.path().to_owned(),
            wait_for_output: false,
            tesseract: tesseract.exists().then_some(tesseract),
            events,
        });
        Self {
            logs,
            handle,
            events: receiver,
            task,
        }
    }

    /// A machine that was started and is up.
    pub(crate) async fn ready(steps: &[&str]) -> Self {
        let bench = Self::new(steps);
        bench.handle.start(false).await.expect("started");
        bench.handle.connect().await.expect("booted");
        bench
    }

    /// A file in the machine's own folder.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.logs.path().join(name)
    }

    pub(crate) fn log(&self, name: &str) -> String {
        let path = self.scratch(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Waits until the machine has said that it stands there.
    pub(crate) async fn until(&mut self, state: &State) {
        while self.next_state().await != *state {}
    }

    /// The states that the machine went through, up to this one.
    pub(crate) async fn states_until(&mut self, last: &State) -> Vec<State> {
        let mut states = Vec::new();
        while states.last() != Some(last) {
            states.push(self.next_state().await);
        }
        states
    }

    async fn next_state(&mut self) -> State {
        loop {
            let event = self.events.recv().await.expect("the machine's task lives");
            if let Event::Machine { state, .. } = event.event {
                return state;
            }
        }
    }

    /// What the log has shown up to a line that ends so.
    pub(crate) async fn log_until(&mut self, end: &str) -> Vec<String> {
        let mut terminal = Terminal::default();
        let mut lines: Vec<String> = Vec::new();
        while lines.last().is_none_or(|line| !line.ends_with(end)) {
            let event = self.events.recv().await.expect("the machine's task lives");
            lines.extend(terminal.render(&event));
        }
        lines
    }

    /// Lets a QEMU go on that waits for a screenshot.
    pub(crate) async fn next_step(&self) {
        let picture = self.handle.screenshot(Path::new("/picture.png")).await;
        let reason = "no screenshot: no display".to_owned();
        assert_eq!(picture, Err(Failure::Refused { reason }));
    }

    /// The process that runs as QEMU.
    pub(crate) fn process(&self) -> Process {
        Process::open(self.handle.pid().expect("QEMU runs"))
    }
}

/// A process that can be killed and waited for, whoever started it.
pub(crate) struct Process(AsyncFd<rustix::fd::OwnedFd>);

impl Process {
    #[expect(unsafe_code, reason = "tokio wants a promise on the descriptor")]
    pub(crate) fn open(pid: u32) -> Self {
        let pid = Pid::from_raw(pid.try_into().expect("a process id")).expect("a process id");
        let descriptor = pidfd_open(pid, PidfdFlags::NONBLOCK).expect("the process lives");
        // SAFETY: an `OwnedFd` names the same open descriptor until it is dropped.
        let registered = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        Self(registered.expect("can be waited for"))
    }

    pub(crate) fn kill(&self) {
        pidfd_send_signal(self.0.get_ref(), Signal::KILL).expect("the process lives");
    }

    pub(crate) async fn end(&self) {
        drop(self.0.readable().await.expect("can be waited for"));
    }
}

pub(crate) fn command(script: &str) -> Command {
    Command {
        script: script.to_owned(),
        timeout: None,
        detached: false,
        wait_for_output: None,
        early: false,
        quiet: false,
        step: None,
    }
}

fn machine(steps: &[&str], boot_timeout: Duration) -> Machine {
    let steps = [STEPS].iter().chain(steps);
    Machine {
        name: "server".into(),
        boot: manifest::Boot::Direct,
        kernel: "/vmlinuz".into(),
        unpack_kernel: true,
        modules: "/modules".into(),
        kernel_params: Vec::new(),
        image: Image::Store,
        layers: Vec::new(),
        persistent: None,
        init: "/init".into(),
        memory: 64,
        cores: 1,
        disks: Vec::new(),
        shares: Vec::new(),
        interfaces: Vec::new(),
        user_network: None,
        network: Network::Guest,
        qemu_options: steps.map(|&step| step.to_owned()).collect(),
        boot_timeout,
    }
}

//! The one task that owns a machine.
//!
//! It starts QEMU when it is asked to, turns what QEMU, the agent and the console say into events of the
//! [lifecycle](super::lifecycle), and publishes where the machine stands. Nothing else touches the process.

use std::collections::BTreeMap;
use std::future;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use vmtest_protocol::boot::FAILURE;
use vmtest_script::backend::MachineErrorKind as Failure;
use vmtest_script::event::Level;
use vmtest_switch::{Plug, Switch};

use super::agent::{Agent, News};
use super::console::{self, Lines};
use super::handle::unavailable;
use super::lifecycle::{Event as Change, State};
use crate::event::{Event, Events};
use crate::spec::Machine;
use crate::vm::accel::Accelerator;
use crate::vm::plan::{Files, Plan};
use crate::vm::process::{Channels, LaunchError, Qemu};
use crate::vm::qmp::{self, QmpEvent};

/// How long QEMU may take to end after it was told to, or after a panic, before it is killed.
const ENDING_TIME: Duration = Duration::from_secs(5);

/// How much of what QEMU itself says goes into an error, in bytes.
const QEMU_WORDS: usize = 2000;

/// Everything that a machine's task needs to know; it does not change during a test.
#[derive(Debug)]
pub struct Setup {
    /// The machine.
    pub machine: Machine,
    /// What it boots from.
    pub files: Files,
    /// `qemu-system-…`.
    pub qemu: PathBuf,
    /// What executes its instructions.
    pub accelerator: Accelerator,
    /// The switches by VLAN.
    pub switches: BTreeMap<u16, Switch>,
    /// A folder of its own, for what exists only while it starts.
    pub scratch: PathBuf,
    /// The folder of its logs, in the test's output.
    pub logs: PathBuf,
    /// Where to report.
    pub events: Events,
}

/// Where a machine stands, for everybody to see.
#[derive(Debug, Clone)]
pub struct Status {
    /// The lifecycle's state.
    pub state: State,
    /// QEMU's process id while it runs.
    pub pid: Option<u32>,
    /// The way to the agent while QEMU runs.
    pub agent: Option<Arc<Agent>>,
    /// QEMU's control channel while it runs.
    pub qmp: Option<qmp::Client>,
}

/// What the task is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Start QEMU, if it does not run.
    Start {
        allow_reboot: bool,
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// End QEMU at once, if it runs; the test gives the machine up.
    Kill,
    /// End QEMU at once, if it runs: the test is over.
    End,
    /// The guest was asked to reboot; answered when the machine no longer counts as up.
    Rebooting { reply: oneshot::Sender<()> },
}

/// Spawns the task of a machine that is off. It ends, and QEMU with it, when the last sender of orders is gone.
pub(super) fn spawn(
    setup: Arc<Setup>,
) -> (mpsc::Sender<Order>, watch::Receiver<Status>, JoinHandle<()>) {
    let (orders, queue) = mpsc::channel(16);
    let (publisher, status) = watch::channel(Status {
        state: State::Off(None),
        pid: None,
        agent: None,
        qmp: None,
    });
    let task = Task { setup, publisher };
    (orders, status, tokio::spawn(task.live(queue)))
}

struct Task {
    setup: Arc<Setup>,
    publisher: watch::Sender<Status>,
}

/// What exists only while QEMU runs.
struct Running {
    qemu: Qemu,
    qmp: qmp::Client,
    qmp_events: mpsc::UnboundedReceiver<QmpEvent>,
    agent: Arc<Agent>,
    news: mpsc::UnboundedReceiver<News>,
    console: JoinHandle<()>,
    panics: mpsc::UnboundedReceiver<String>,
    journal: Journal,
    kill_at: Option<Instant>,
    _plugs: Vec<Plug>,
}

struct Journal {
    log: File,
    lines: Lines,
}

impl Task {
    async fn live(self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Start {
                    allow_reboot,
                    reply,
                } => match self.start(allow_reboot).await {
                    Ok(running) => {
                        let _ = reply.send(Ok(()));
                        self.run(running, &mut orders).await;
                    }
                    Err(failure) => drop(reply.send(Err(failure))),
                },
                Order::Kill => self.change(Change::Kill),
                Order::Rebooting { .. } | Order::End => {}
            }
        }
    }

    fn state(&self) -> State {
        self.publisher.borrow().state.clone()
    }

    fn change(&self, change: Change) {
        self.update(change, |_| {});
    }

    /// Moves on, and changes what else is published in the same breath: nobody sees one without the other.
    fn update(&self, change: Change, with: impl FnOnce(&mut Status)) {
        let mut moved = None;
        self.publisher.send_if_modified(|status| {
            with(status);
            let state = status.state.clone().after(change);
            let differs = state != status.state;
            if differs {
                status.state = state.clone();
                moved = Some(state);
            }
            differs
        });
        if let Some(state) = moved {
            self.setup.events.emit(Event::Machine {
                machine: self.setup.machine.name.clone(),
                state,
            });
        }
    }

    async fn start(&self, allow_reboot: bool) -> Result<Running, Failure> {
        let state = self.state();
        if state.end().is_some_and(|end| !end.is_orderly()) {
            return Err(unavailable(&state));
        }
        let cannot = |reason: String| Failure::CannotStart { reason };
        let (qemu, channels) = self
            .launch(allow_reboot)
            .map_err(|error| cannot(error.to_string()))?;
        let pid = qemu.pid();
        let running = self
            .open(qemu, channels)
            .await
            .map_err(|error| cannot(error.to_string()))?;
        self.update(Change::Launched { allow_reboot }, |status| {
            status.pid = pid;
            status.agent = Some(Arc::clone(&running.agent));
            status.qmp = Some(running.qmp.clone());
        });
        Ok(running)
    }

    fn launch(&self, allow_reboot: bool) -> Result<(Qemu, Channels), LaunchError> {
        let setup = &self.setup;
        let plan = Plan::new(
            &setup.machine,
            &setup.files,
            setup.accelerator,
            allow_reboot,
        );
        tracing::debug!(machine = setup.machine.name, ?plan, "starting QEMU");
        let shares = setup.machine.shares.iter();
        let shares = shares
            .map(|share| vmtest_share::serve(&share.source, share.read_only, &setup.scratch))
            .collect::<Result<_, _>>()?;
        Qemu::launch(
            &setup.qemu,
            &plan,
            setup.machine.interfaces.len(),
            shares,
            &setup.logs.join("qemu.log"),
        )
    }

    async fn open(&self, qemu: Qemu, channels: Channels) -> std::io::Result<Running> {
        let setup = &self.setup;
        let (sender, qmp_events) = mpsc::unbounded_channel();
        let qmp = qmp::Client::open(channels.qmp, sender)?;
        let (sender, news) = mpsc::unbounded_channel();
        let agent = Arc::new(Agent::open(channels.agent, sender)?);
        let (sender, panics) = mpsc::unbounded_channel();
        let console = self.follow_console(UnixStream::from_std(channels.console)?, sender);
        let mut plugs = Vec::new();
        for (interface, socket) in setup.machine.interfaces.iter().zip(channels.vlans) {
            if let Some(switch) = setup.switches.get(&interface.vlan) {
                plugs.push(switch.plug(socket)?);
            }
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(setup.logs.join("journal.log"))
            .await?;
        let journal = Journal {
            log,
            lines: Lines::default(),
        };
        // A QEMU that ends before it has greeted is seen by its end.
        let greeting = qmp.clone();
        tokio::spawn(async move {
            if let Err(error) = greeting.negotiate().await {
                tracing::debug!(%error, "QMP cannot be negotiated");
            }
        });
        Ok(Running {
            qemu,
            qmp,
            qmp_events,
            agent,
            news,
            console,
            panics,
            journal,
            kill_at: None,
            _plugs: plugs,
        })
    }

    fn follow_console(
        &self,
        console: UnixStream,
        panics: mpsc::UnboundedSender<String>,
    ) -> JoinHandle<()> {
        let setup = Arc::clone(&self.setup);
        tokio::spawn(async move {
            let name = &setup.machine.name;
            let log = setup.logs.join("console.log");
            let followed = console::follow(console, &log, |line| {
                if let Some(message) = console::panic_message(line) {
                    let _ = panics.send(message.to_owned());
                }
                setup.events.emit(Event::Console {
                    machine: name.clone(),
                    line: line.to_owned(),
                });
            });
            if let Err(error) = followed.await {
                setup
                    .events
                    .warn(format!("{name}: the console cannot be logged: {error}"));
            }
        })
    }

    /// Follows one run of QEMU to its end.
    async fn run(&self, mut running: Running, orders: &mut mpsc::Receiver<Order>) {
        let exit = loop {
            let kill_at = running.kill_at;
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order::Start { reply, .. }) => drop(reply.send(Ok(()))),
                    Some(Order::Rebooting { reply }) => {
                        running.agent.reset();
                        self.change(Change::Rebooting);
                        // Whoever asked may have given up.
                        let _ = reply.send(());
                    }
                    Some(Order::Kill) => {
                        self.change(Change::Kill);
                        running.qemu.kill();
                    }
                    Some(Order::End) | None => {
                        // What it was about to end of is not forgotten.
                        if !matches!(self.state(), State::Ending(_)) {
                            self.change(Change::Kill);
                        }
                        running.qemu.kill();
                    }
                },
                Some(event) = running.qmp_events.recv() => self.qmp(&mut running, event).await,
                Some(news) = running.news.recv() => self.news(&mut running, news).await,
                Some(message) = running.panics.recv() => self.panic(&mut running, message),
                exit = running.qemu.wait() => break exit,
                () = at(kill_at) => {
                    running.kill_at = None;
                    running.qemu.kill();
                }
            }
        };
        self.end(running, exit).await;
    }

    /// QEMU has ended: what it said before counts first.
    async fn end(&self, mut running: Running, exit: std::io::Result<ExitStatus>) {
        if timeout(ENDING_TIME, &mut running.console).await.is_err() {
            running.console.abort();
        }
        while let Some(event) = running.qmp_events.recv().await {
            self.qmp(&mut running, event).await;
        }
        while let Some(news) = running.news.recv().await {
            self.news(&mut running, news).await;
        }
        while let Ok(message) = running.panics.try_recv() {
            self.panic(&mut running, message);
        }
        if let Err(error) = running.journal.log.flush().await {
            self.setup.events.warn(format!(
                "{}: the journal cannot be logged: {error}",
                self.setup.machine.name
            ));
        }
        let status = self.describe(exit).await;
        self.update(Change::Exited(status), |status| {
            status.pid = None;
            status.agent = None;
            status.qmp = None;
        });
    }

    async fn describe(&self, exit: std::io::Result<ExitStatus>) -> String {
        let status = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
        let words = tokio::fs::read(self.setup.logs.join("qemu.log"))
            .await
            .unwrap_or_default();
        let tail = &words[words.len().saturating_sub(QEMU_WORDS)..];
        match String::from_utf8_lossy(tail).trim() {
            "" => status,
            words => format!("{status}; it said: {words}"),
        }
    }

    async fn qmp(&self, running: &mut Running, event: QmpEvent) {
        let reason = event.data["reason"].as_str().unwrap_or_default();
        match (event.name.as_str(), reason) {
            ("RESET", "guest-reset" | "host-qmp-system-reset") => {
                running.agent.reset();
                self.change(Change::Reset);
            }
            ("SHUTDOWN", "guest-reset") => {
                running.kill_at = Some(Instant::now() + ENDING_TIME);
                self.change(Change::LastReset);
            }
            ("SHUTDOWN", "guest-shutdown") => {
                running.kill_at = Some(Instant::now() + ENDING_TIME);
                self.change(Change::PowerOff);
            }
            ("STOP", _) => {
                let status = running.qmp.execute("query-status", json!({})).await;
                if status.is_ok_and(|status| status["status"] == "internal-error") {
                    self.change(Change::Broken(
                        "the accelerator cannot run the guest (internal error)".into(),
                    ));
                    running.qemu.kill();
                }
            }
            _ => tracing::trace!(machine = self.setup.machine.name, ?event, "QMP event"),
        }
    }

    /// The kernel is told to reset at once. Should it not, it is not waited for.
    fn panic(&self, running: &mut Running, message: String) {
        self.change(Change::Panic(message));
        if matches!(self.state(), State::Ending(_)) {
            running.kill_at.get_or_insert(Instant::now() + ENDING_TIME);
        }
    }

    async fn news(&self, running: &mut Running, news: News) {
        let Setup {
            events, machine, ..
        } = &*self.setup;
        match news {
            News::Hello => {
                self.change(Change::Hello);
                events.emit(Event::Agent {
                    machine: machine.name.clone(),
                });
            }
            News::Booted => self.change(Change::Booted),
            News::WrongVersion(version) => {
                self.change(Change::Broken(format!(
                    "its agent speaks version {version} of the protocol"
                )));
                running.qemu.kill();
            }
            News::Note(text) if text.starts_with(FAILURE) => {
                self.change(Change::Broken(text));
                running.qemu.kill();
            }
            News::Note(text) => {
                events.emit(Event::Runner(
                    Level::Info,
                    format!("{}: agent: {text}", machine.name),
                ));
            }
            News::Journal(bytes) => {
                let name = &machine.name;
                running.journal.lines.push(&bytes, |line| {
                    events.emit(Event::Journal {
                        machine: name.clone(),
                        line: line.to_owned(),
                    });
                });
                if let Err(error) = running.journal.log.write_all(&bytes).await {
                    events.warn(format!("{name}: the journal cannot be logged: {error}"));
                }
            }
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => future::pending().await,
    }
}

//! The one task that owns a machine.
//!
//! It starts QEMU when it is asked to, turns what QEMU, the agent and the console say into events of the
//! [lifecycle](super::lifecycle), and publishes where the machine stands. Nothing else touches the process.

mod heard;
mod open;
mod restore;

use std::collections::BTreeMap;
use std::fs::File as StdFile;
use std::future;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use vmtest_script::backend::{MachineErrorKind as Failure, Start};
use vmtest_switch::{Plug, Switch};

use super::QEMU_LOG;
use super::agent::{Agent, News};
use super::handle::unavailable;
use super::journal::Journal;
use super::lifecycle::{End, Event as Change, State};
use super::record::Record;
use super::turns::{Turn, Turns};
use crate::event::{Event, Events};
use crate::snapshot::Saved;
use crate::vm::accel::Accelerator;
use crate::vm::launch::{How, Launch};
use crate::vm::process::{Qemu, last_words};
use crate::vm::qmp::{self, QmpEvent};

/// How long QEMU may take to end after it was told to, or after a panic, before it is killed.
const ENDING_TIME: Duration = Duration::from_secs(5);

/// Everything that a machine's task needs to know; it does not change during a test.
#[derive(Debug)]
pub struct Setup {
    /// The machine's name.
    pub name: String,
    /// What becomes its QEMU.
    pub launch: Launch,
    /// How long it may take to boot, by hardware virtualisation.
    pub boot_timeout: Duration,
    /// What executes its instructions.
    pub accelerator: Accelerator,
    /// Whose turn it is to boot, where not all machines may at once.
    pub turns: Option<Turns>,
    /// The switches by VLAN.
    pub switches: BTreeMap<u16, Switch>,
    /// The folder of its logs, in the test's output.
    pub logs: PathBuf,
    /// The folder for what belongs to it alone and does not outlive the test.
    pub state_dir: PathBuf,
    /// Whether a command ends only when nobody holds its outputs any more, unless it says otherwise.
    pub wait_for_output: bool,
    /// `tesseract`, if the test reads screens.
    pub tesseract: Option<PathBuf>,
    /// Where to report.
    pub events: Events,
}

/// Where a machine stands, for everybody to see.
#[derive(Debug, Clone)]
pub struct Status {
    /// The lifecycle's state.
    pub state: State,
    /// Whether QEMU is paused, since it is not the machine's turn to boot.
    pub waits_for_turn: bool,
    /// QEMU's process id while it runs.
    pub pid: Option<u32>,
    /// The way to the agent while QEMU runs.
    pub agent: Option<Arc<Agent>>,
    /// QEMU's control channel while it runs.
    pub qmp: Option<qmp::Client>,
    /// What the serial console reads, while QEMU runs.
    pub console: Option<Arc<Mutex<OwnedWriteHalf>>>,
    /// The guest's memory while QEMU runs, of a machine that the runner has planned.
    pub memory: Option<Arc<StdFile>>,
    /// How the run of QEMU before this one ended, until the guest was reset.
    pub previous: Option<End>,
    /// How often an agent has said hello.
    pub hellos: u64,
    /// The exit status of the last QEMU that ended; a signal is negative.
    pub exit_status: Option<i32>,
}

/// What the task is asked to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Start QEMU, if it does not run; answered when it runs, or waits with the state that it is to go on from.
    Start {
        start: Start,
        restore: Option<Arc<Saved>>,
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// Have a machine that waits with its state go on.
    GoOn {
        reply: oneshot::Sender<Result<(), Failure>>,
    },
    /// End QEMU at once, if it runs: the test goes back to a snapshot.
    Discard,
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
    record: Arc<Record>,
) -> (mpsc::Sender<Order>, watch::Receiver<Status>, JoinHandle<()>) {
    let (orders, queue) = mpsc::channel(16);
    let (publisher, status) = watch::channel(Status {
        state: State::Off(None),
        waits_for_turn: false,
        pid: None,
        agent: None,
        qmp: None,
        console: None,
        memory: None,
        previous: None,
        hellos: 0,
        exit_status: None,
    });
    let task = Task {
        setup,
        record,
        publisher,
    };
    (orders, status, tokio::spawn(task.live(queue)))
}

struct Task {
    setup: Arc<Setup>,
    record: Arc<Record>,
    publisher: watch::Sender<Status>,
}

/// What exists only while QEMU runs.
struct Running {
    qemu: Qemu,
    qmp: qmp::Client,
    qmp_events: mpsc::UnboundedReceiver<QmpEvent>,
    memory: Option<Arc<StdFile>>,
    greeted: JoinHandle<()>,
    agent: Arc<Agent>,
    root_shell: Option<JoinHandle<()>>,
    news: mpsc::UnboundedReceiver<News>,
    typing: Arc<Mutex<OwnedWriteHalf>>,
    console: JoinHandle<()>,
    panics: mpsc::UnboundedReceiver<String>,
    journal: Journal,
    kill_at: Option<Instant>,
    turn: Turn,
    _plugs: Vec<Plug>,
}

impl Running {
    /// Ends QEMU at once. The guest sees a power failure; what runs beside QEMU, such as a TPM, is told of its end by QEMU itself,
    /// which has to have the time.
    fn stop(&mut self) {
        if !self.qemu.has_company() {
            return self.qemu.kill();
        }
        let qmp = self.qmp.clone();
        tokio::spawn(async move {
            if let Err(error) = qmp.execute("quit", json!({})).await {
                tracing::debug!(%error, "QEMU does not end by itself");
            }
        });
        self.kill_at = Some(Instant::now() + ENDING_TIME);
    }
}

impl Task {
    async fn live(self, mut orders: mpsc::Receiver<Order>) {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Start {
                    start,
                    restore,
                    reply,
                } => {
                    let mut replies = vec![reply];
                    let restore = restore.as_ref();
                    let started = self.start(&start, restore, &mut orders, &mut replies).await;
                    let answer = started.as_ref().map(drop).map_err(Clone::clone);
                    for reply in replies {
                        let _ = reply.send(answer.clone());
                    }
                    if let Ok(running) = started {
                        self.run(running, &mut orders).await;
                    }
                }
                Order::Kill => self.change(Change::Kill),
                Order::Discard => self.change(Change::Discard),
                Order::GoOn { reply } => drop(reply.send(Err(unavailable(&self.state())))),
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
        self.publisher.send_modify(|status| {
            with(status);
            if matches!(change, Change::Reset | Change::Rebooting) {
                status.previous = None;
            }
            let state = status.state.clone().after(change);
            if state != status.state {
                status.state = state.clone();
                moved = Some(state);
            }
        });
        if let Some(state) = moved {
            self.setup.events.emit(Event::Machine {
                machine: self.setup.name.clone(),
                state,
            });
        }
    }

    /// Starts QEMU. That may take a while: orders that come meanwhile are seen.
    async fn start(
        &self,
        start: &Start,
        restore: Option<&Arc<Saved>>,
        orders: &mut mpsc::Receiver<Order>,
        replies: &mut Vec<oneshot::Sender<Result<(), Failure>>>,
    ) -> Result<Running, Failure> {
        let state = self.state();
        if state.end().is_some_and(|end| !end.is_orderly()) {
            return Err(unavailable(&state));
        }
        self.record.qmp_events.clear();
        self.record.forwards.clear();
        let launch = self.launch(start, restore);
        tokio::pin!(launch);
        let running = loop {
            tokio::select! {
                launched = &mut launch => break launched?,
                order = orders.recv() => match order {
                    Some(Order::Start { reply, .. }) => replies.push(reply),
                    Some(Order::Rebooting { .. }) => {}
                    Some(Order::GoOn { reply }) => {
                        let reason = "it is being started anew".to_owned();
                        let _ = reply.send(Err(Failure::CannotStart { reason }));
                    }
                    Some(Order::Kill | Order::Discard | Order::End) | None => {
                        let reason = "it was given up before QEMU ran".to_owned();
                        return Err(Failure::CannotStart { reason });
                    }
                },
            }
        };
        self.launched(&running, start.allow_reboot);
        if restore.is_some() {
            let machine = self.setup.name.clone();
            self.setup.events.emit(Event::Restored { machine });
        }
        Ok(running)
    }

    /// Has QEMU run, or wait with the state that the machine goes on from.
    async fn launch(
        &self,
        start: &Start,
        restore: Option<&Arc<Saved>>,
    ) -> Result<Running, Failure> {
        let setup = &self.setup;
        let turn = match (&setup.turns, restore) {
            (Some(turns), None) => turns.queue(),
            _ => Turn::Over,
        };
        let how = How {
            allow_reboot: start.allow_reboot,
            paused: turn.is_waiting(),
            restore,
        };
        let state_dir = start.state_dir.as_ref().unwrap_or(&setup.state_dir);
        let log = setup.logs.join(QEMU_LOG);
        let tell = |added| setup.events.info(format!("{}: {added}", setup.name));
        let cannot = |reason: String| Failure::CannotStart { reason };
        let launched = setup.launch.start(state_dir, &how, &log, tell).await;
        let (qemu, channels) = launched.map_err(|error| cannot(error.to_string()))?;
        let opened = self.open(qemu, channels).await;
        let mut running = opened.map_err(|error| cannot(error.to_string()))?;
        running.turn = turn;
        if let Some(saved) = restore {
            self.load(&mut running).await?;
            self.replay(saved).await;
        }
        Ok(running)
    }

    /// Publishes a QEMU that runs.
    fn launched(&self, running: &Running, allow_reboot: bool) {
        self.update(Change::Launched { allow_reboot }, |status| {
            status.waits_for_turn = running.turn.is_waiting();
            status.pid = running.qemu.pid();
            status.agent = Some(Arc::clone(&running.agent));
            status.qmp = Some(running.qmp.clone());
            status.console = Some(Arc::clone(&running.typing));
            status.memory = running.memory.clone();
            status.exit_status = None;
        });
    }

    /// Follows one run of QEMU to its end.
    async fn run(&self, mut running: Running, orders: &mut mpsc::Receiver<Order>) {
        let exit = loop {
            if matches!(self.state(), State::Ready { .. } | State::Ending(_)) {
                running.turn = Turn::Over;
            }
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
                    Some(Order::GoOn { reply }) => drop(reply.send(self.go_on(&running).await)),
                    Some(Order::Discard) => {
                        self.change(Change::Discard);
                        running.qemu.kill();
                    }
                    Some(Order::Kill) => {
                        self.change(Change::Kill);
                        running.stop();
                    }
                    Some(Order::End) | None => {
                        // What it was about to end of is not forgotten.
                        if !matches!(self.state(), State::Ending(_)) {
                            self.change(Change::Kill);
                        }
                        running.stop();
                    }
                },
                Some(event) = running.qmp_events.recv() => self.qmp(&mut running, event).await,
                Some(news) = running.news.recv() => self.news(&mut running, news).await,
                Some(message) = running.panics.recv() => self.panic(&mut running, message),
                () = running.turn.next() => self.take_turn(&running).await,
                exit = running.qemu.wait() => break exit,
                () = at(kill_at) => {
                    running.kill_at = None;
                    running.qemu.kill();
                }
            }
        };
        self.end(running, exit).await;
    }

    /// The machine's turn to boot has come, or is over.
    async fn take_turn(&self, running: &Running) {
        if !self.publisher.borrow().waits_for_turn {
            return;
        }
        if let Err(error) = running.qmp.execute("cont", json!({})).await {
            tracing::debug!(%error, "a machine whose turn it is does not go on");
        }
        self.publisher
            .send_modify(|status| status.waits_for_turn = false);
    }

    /// QEMU has ended: what it said before counts first.
    async fn end(&self, mut running: Running, exit: std::io::Result<ExitStatus>) {
        if timeout(ENDING_TIME, &mut running.console).await.is_err() {
            running.console.abort();
        }
        if let Some(root_shell) = running.root_shell.take() {
            root_shell.abort();
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
        if let Err(error) = running.journal.flush().await {
            self.setup.events.warn(format!(
                "{}: the journal cannot be logged: {error}",
                self.setup.name
            ));
        }
        self.record.output.restarted();
        let exit_status = exit.as_ref().ok().and_then(|exit| {
            let signal = exit.signal().map(|signal| -signal);
            exit.code().or(signal)
        });
        let status = self.describe(exit).await;
        self.update(Change::Exited(status), |status| {
            status.memory = None;
            status.waits_for_turn = false;
            status.previous = status.state.end().cloned();
            status.pid = None;
            status.agent = None;
            status.qmp = None;
            status.console = None;
            status.exit_status = exit_status;
        });
    }

    async fn describe(&self, exit: std::io::Result<ExitStatus>) -> String {
        let status = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
        match last_words(&self.setup.logs.join(QEMU_LOG)).await.as_str() {
            "" => status,
            words => format!("{status}; it said: {words}"),
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => future::pending().await,
    }
}

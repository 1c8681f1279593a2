//! What the rest of the runner holds of a machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use vmtest_protocol::{self as protocol, Outcome, ToGuest};
use vmtest_script::backend::{
    Condition, ExitStatus, MachineErrorKind as Failure, Start, WaitOutcome,
};

use super::agent::{Agent, Reply, Request, RequestError};
use super::lifecycle::{End, State};
use super::record::Record;
use super::saved::{Initial, Otherwise};
use super::task::{self, Order, Setup, Status};
use crate::event::Events;
use crate::vm::launch::Launch;

/// How long a machine that lost its agent may take to show what became of it.
pub(super) const SETTLING_TIME: Duration = Duration::from_secs(10);

/// How long a machine may take to end once it is killed.
const KILLING_TIME: Duration = Duration::from_secs(30);

/// A machine of the test; cloning gives another handle to the same one. With the last handle the machine ends.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) setup: Arc<Setup>,
    pub(super) record: Arc<Record>,
    pub(super) status: watch::Receiver<Status>,
    pub(super) orders: mpsc::Sender<Order>,
    /// What the first start goes on from; locked while it does.
    pub(super) initial: Arc<Mutex<Option<Initial>>>,
}

impl Handle {
    /// Makes the task of a machine that is off. The task ends after the last handle is gone and QEMU has ended.
    #[must_use]
    pub fn new(setup: Setup) -> (Self, JoinHandle<()>) {
        let setup = Arc::new(setup);
        let record = Arc::new(Record::new(&setup.name, setup.events.clone()));
        let (orders, status, task) = task::spawn(Arc::clone(&setup), Arc::clone(&record));
        (
            Self {
                setup,
                record,
                status,
                orders,
                initial: Arc::default(),
            },
            task,
        )
    }

    /// Where it tells what happens.
    pub(crate) fn events(&self) -> &Events {
        &self.setup.events
    }

    /// The machine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.setup.name
    }

    /// Where the machine stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.status.borrow().state.clone()
    }

    /// QEMU's process id while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.status.borrow().pid
    }

    /// The exit status of the last QEMU that ended; a signal is negative.
    #[must_use]
    pub fn exit_status(&self) -> Option<i32> {
        self.status.borrow().exit_status
    }

    /// The host's folder for what belongs to this machine alone.
    #[must_use]
    pub fn state_dir(&self) -> &Path {
        &self.setup.state_dir
    }

    /// Starts QEMU, if it does not run.
    ///
    /// # Errors
    /// When it cannot be started, or the machine has died or panicked and was not given up by [`kill`](Self::kill).
    pub async fn start(&self, allow_reboot: bool) -> Result<(), Failure> {
        let start = Start {
            allow_reboot,
            state_dir: None,
        };
        self.start_with(start).await
    }

    /// The same, perhaps in the state directory of another machine.
    ///
    /// # Errors
    /// As [`start`](Self::start), and for a machine that is not started by a command.
    pub async fn start_with(&self, start: Start) -> Result<(), Failure> {
        if start.state_dir.is_some() && !matches!(self.setup.launch, Launch::Command(_)) {
            return Err(Failure::Refused {
                reason:
                    "only a machine of create_machine() can be started in another state directory"
                        .to_owned(),
            });
        }
        let mut waiting = self.initial.lock().await;
        let Some(initial) = waiting.clone() else {
            drop(waiting);
            return self.boot(start).await;
        };
        let started = self.start_from(&initial, start).await;
        // Where nothing else will do, another start is to do it, too.
        if started.is_ok() || !matches!(initial.otherwise, Otherwise::Fail) {
            *waiting = None;
        }
        started
    }

    /// Starts QEMU, if it does not run, to boot.
    pub(super) async fn boot(&self, start: Start) -> Result<(), Failure> {
        let restore = None;
        self.ask(|reply| Order::Start {
            start,
            restore,
            reply,
        })
        .await
    }

    /// Gives an order, and waits for the answer.
    pub(super) async fn ask(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<(), Failure>>) -> Order,
    ) -> Result<(), Failure> {
        let (reply, answer) = oneshot::channel();
        let gone = || Failure::CannotStart {
            reason: "the machine's task has ended".to_owned(),
        };
        self.orders.send(order(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Waits for the agent, as long as the machine may take to boot.
    ///
    /// # Errors
    /// When the machine is off, ends, or does not come up in time.
    pub async fn connect(&self) -> Result<(), Failure> {
        self.agent(false).await.map(drop)
    }

    /// The same, but an agent that was asked for something already does not count: the guest is about to boot anew, and
    /// nobody but the script knows.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn reconnect(&self) -> Result<(), Failure> {
        let after = self.boot_time();
        let deadline = Instant::now() + after;
        let before = self.status.borrow().hellos;
        let is_fresh = |status: &Status| {
            let is_fresh = status.agent.as_ref().is_some_and(|agent| agent.is_fresh());
            is_fresh || status.hellos > before
        };
        let is_settled = |status: &Status| match status.state {
            State::Ready { .. } => is_fresh(status),
            ref state => state.is_settled(),
        };
        let mut status = self.status.clone();
        let settling_time = SETTLING_TIME * self.setup.accelerator.patience();
        if timeout(settling_time, status.wait_for(is_settled))
            .await
            .is_err()
            && self.stays_up().await
        {
            self.setup.events.warn(format!(
                "{}: the script expects another boot of the guest, which runs on: it goes on with this one",
                self.name()
            ));
            return Ok(());
        }
        match timeout_at(deadline, status.wait_for(is_settled)).await {
            Ok(Ok(status)) if status.state.is_running() => Ok(()),
            Ok(Ok(status)) => Err(unavailable(&status.state)),
            Ok(Err(_)) => Err(Failure::NotRunning),
            Err(_) => Err(self.too_slow(after)),
        }
    }

    /// Whether the agent answers, and its guest is not on its way down.
    async fn stays_up(&self) -> bool {
        let agent = self.status.borrow().agent.clone();
        let is_ready = matches!(self.state(), State::Ready { .. });
        if !is_ready || agent.is_none_or(|agent| !agent.is_connected()) {
            return false;
        }
        let question = "test \"$(systemctl is-system-running 2>/dev/null)\" != stopping";
        let answer = self.run_quietly(question, "an answer", SETTLING_TIME).await;
        answer.is_ok_and(|answer| answer.status == ExitStatus::Code(0))
    }

    /// How long the machine may take to boot.
    #[must_use]
    pub fn boot_time(&self) -> Duration {
        let patience = self.setup.accelerator.patience();
        self.setup.boot_timeout.saturating_mul(patience)
    }

    fn too_slow(&self, after: Duration) -> Failure {
        let what = match self.state() {
            State::Lost { .. } => "another connection to the agent, which had closed its own,",
            _ if matches!(self.setup.launch, Launch::Command(_)) => {
                "a root shell on the guest's /dev/hvc0 (service `backdoor` of NixOS's test instrumentation)"
            }
            _ => "the end of the boot (see the machine's option `bootTimeout`)",
        };
        Failure::TimedOut {
            what: what.to_owned(),
            after,
        }
    }

    /// The agent of a guest that is up; of one that is on its way there, if it is `early`.
    pub(super) async fn agent(&self, early: bool) -> Result<Arc<Agent>, Failure> {
        let after = self.boot_time();
        let mut status = self.status.clone();
        // That is bounded by the time that each of the machines before it may take.
        let _ = status.wait_for(|status| !status.waits_for_turn).await;
        let is_there = |status: &Status| {
            let agent = status.agent.as_ref();
            let is_connected = || agent.is_some_and(|agent| agent.is_connected());
            status.state.is_settled() || (early && !status.state.is_ending() && is_connected())
        };
        let Ok(there) = timeout(after, status.wait_for(is_there)).await else {
            return Err(self.too_slow(after));
        };
        match there {
            Ok(status) => match &status.agent {
                Some(agent) if status.state.is_running() => Ok(Arc::clone(agent)),
                _ => Err(unavailable(&status.state)),
            },
            Err(_) => Err(Failure::NotRunning),
        }
    }

    async fn request(
        &self,
        message: impl FnOnce(protocol::RequestId) -> ToGuest,
    ) -> Result<Request, Failure> {
        let agent = self.agent(false).await?;
        self.begin(&agent, message).await
    }

    pub(super) async fn begin(
        &self,
        agent: &Agent,
        message: impl FnOnce(protocol::RequestId) -> ToGuest,
    ) -> Result<Request, Failure> {
        match agent.request(message).await {
            Ok(request) => Ok(request),
            Err(RequestError::NotConnected) => Err(self.lost().await),
            Err(RequestError::Frame(error)) => Err(Failure::Refused {
                reason: format!("the request cannot be sent to the guest: {error}"),
            }),
        }
    }

    /// The connection is lost: what has become of the machine?
    pub(super) async fn lost(&self) -> Failure {
        let mut status = self.status.clone();
        let is_known =
            |state: &State| matches!(state, State::Booting { .. }) || !state.is_running();
        let known = status.wait_for(|status| is_known(&status.state));
        match timeout(SETTLING_TIME, known).await {
            Ok(Ok(status)) if status.state.end().is_some() => unavailable(&status.state),
            Ok(Ok(status)) if status.previous == Some(End::Discarded) => discarded(),
            _ => Failure::Closed,
        }
    }

    /// Waits in the guest until a condition holds.
    ///
    /// # Errors
    /// When the machine is lost. Running out of time is no error.
    pub async fn wait(
        &self,
        condition: &Condition,
        limit: Option<Duration>,
    ) -> Result<WaitOutcome, Failure> {
        let condition = match condition.clone() {
            Condition::TcpOpen { addr, port } => protocol::Condition::TcpOpen { host: addr, port },
            Condition::TcpClosed { addr, port } => {
                protocol::Condition::TcpClosed { host: addr, port }
            }
            Condition::UdpOpen { port } => protocol::Condition::UdpOpen { port },
            Condition::UnixOpen { path, datagram } => {
                protocol::Condition::UnixOpen { path, datagram }
            }
            Condition::File { word } => protocol::Condition::File { word },
            Condition::Unit { unit, user, state } => {
                protocol::Condition::Unit { unit, user, state }
            }
        };
        let timeout_ms = limit.map(milliseconds);
        match self
            .complete(|id| ToGuest::Wait {
                id,
                condition,
                timeout_ms,
            })
            .await?
        {
            Outcome::Complete => Ok(WaitOutcome::Met),
            Outcome::TimedOut { last } => Ok(WaitOutcome::TimedOut { last }),
            outcome => Err(refused(Ok(outcome))),
        }
    }

    async fn complete(
        &self,
        message: impl FnOnce(protocol::RequestId) -> ToGuest,
    ) -> Result<Outcome, Failure> {
        let mut request = self.request(message).await?;
        loop {
            match request.next().await {
                Some(Reply::Done(Ok(outcome))) => return Ok(outcome),
                Some(Reply::Done(failure)) => return Err(refused(failure)),
                Some(_) => {}
                None => return Err(self.lost().await),
            }
        }
    }

    /// Copies a file or tree of the host to the path `target` in the guest.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the machine is lost.
    pub async fn copy_in(&self, source: &Path, target: &str) -> Result<(), Failure> {
        let (folder, name) = super::copy::split(target)?;
        let id = |id| ToGuest::Put { id, target: folder };
        let request = self.request(id).await?;
        super::copy::send(self, request, source, &name).await
    }

    /// Copies a file or tree of the guest into a folder of the host.
    ///
    /// # Errors
    /// When a file cannot be read or written, or the machine is lost.
    pub async fn copy_out(&self, source: &str, target: &Path) -> Result<(), Failure> {
        let source = source.to_owned();
        let request = self.request(|id| ToGuest::Get { id, source }).await?;
        super::copy::receive(self, request, target).await
    }

    /// Ends QEMU at once and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn kill(&self) -> Result<(), Failure> {
        let given_up =
            |state: &State| !state.is_running() && state.end().is_none_or(End::is_orderly);
        self.stop(Order::Kill, given_up).await
    }

    /// Ends QEMU at once because the test is over, and waits for its end.
    ///
    /// # Errors
    /// When it does not end.
    pub async fn end(&self) -> Result<(), Failure> {
        self.stop(Order::End, |state| !state.is_running()).await
    }

    /// Waits until nobody copies the machine's files any more.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn settle(&self) -> Result<(), Failure> {
        let Launch::Planned(planned) = &self.setup.launch else {
            return Ok(());
        };
        match timeout(KILLING_TIME, planned.copies.begin()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::TimedOut {
                what: "the end of copies of its files".to_owned(),
                after: KILLING_TIME,
            }),
        }
    }

    pub(super) async fn stop(
        &self,
        order: Order,
        stopped: impl Fn(&State) -> bool,
    ) -> Result<(), Failure> {
        if self.orders.send(order).await.is_err() {
            return Ok(());
        }
        let mut status = self.status.clone();
        let off = status.wait_for(|status| stopped(&status.state));
        match timeout(KILLING_TIME, off).await {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::TimedOut {
                what: "the end of QEMU".to_owned(),
                after: KILLING_TIME,
            }),
        }
    }
}

/// Why a machine that stands there cannot be spoken to.
pub(super) fn unavailable(state: &State) -> Failure {
    match state.end() {
        Some(End::Broken(reason)) => Failure::Broken {
            reason: reason.clone(),
        },
        Some(End::Died(status)) => Failure::Died {
            status: status.clone(),
        },
        Some(End::Panicked(message)) => Failure::Panicked {
            message: message.clone(),
        },
        Some(End::PoweredOff) => Failure::Ended {
            how: "the guest powered off".to_owned(),
        },
        Some(End::Reset) => Failure::Ended {
            how: "the guest rebooted, which a machine survives only after start(allow_reboot=True)"
                .to_owned(),
        },
        Some(End::Discarded) => discarded(),
        Some(End::Killed) | None => Failure::NotRunning,
    }
}

fn discarded() -> Failure {
    Failure::Ended {
        how: "the script went back to a snapshot of it".to_owned(),
    }
}

/// What an end other than the one that was asked for means.
pub(super) fn refused(result: Result<Outcome, protocol::Failure>) -> Failure {
    let reason = match result {
        Err(failure) => failure.to_string(),
        Ok(outcome) => format!("the agent ended the request as {outcome:?}"),
    };
    Failure::Refused { reason }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! What the rest of the runner holds of a machine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use vmtest_protocol::{self as protocol, Ended, Outcome, Run, Stream, ToGuest};
use vmtest_script::backend::{
    Command, Completed, Condition, ExitStatus, MachineErrorKind as Failure, WaitOutcome,
};

use super::agent::{Agent, Reply, Request};
use super::lifecycle::{End, State};
use super::task::{self, Order, Setup, Status};

/// How long a machine that lost its agent may take to show what became of it.
const SETTLING_TIME: Duration = Duration::from_secs(10);

/// How long a machine may take to end once it is killed.
const KILLING_TIME: Duration = Duration::from_secs(30);

/// A machine of the test; cloning gives another handle to the same one. With the last handle the machine ends.
#[derive(Debug, Clone)]
pub struct Handle {
    setup: Arc<Setup>,
    orders: mpsc::Sender<Order>,
    status: watch::Receiver<Status>,
}

impl Handle {
    /// Makes the task of a machine that is off. The task ends after the last handle is gone and QEMU has ended.
    #[must_use]
    pub fn new(setup: Setup) -> (Self, JoinHandle<()>) {
        let setup = Arc::new(setup);
        let (orders, status, task) = task::spawn(Arc::clone(&setup));
        (
            Self {
                setup,
                orders,
                status,
            },
            task,
        )
    }

    /// The machine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.setup.machine.name
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

    /// Starts QEMU, if it does not run.
    ///
    /// # Errors
    /// When it cannot be started, or the machine has died or panicked and was not given up by [`kill`](Self::kill).
    pub async fn start(&self, allow_reboot: bool) -> Result<(), Failure> {
        let (reply, answer) = oneshot::channel();
        let gone = || Failure::CannotStart {
            reason: "the machine's task has ended".to_owned(),
        };
        self.orders
            .send(Order::Start {
                allow_reboot,
                reply,
            })
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Waits for the agent, as long as the machine may take to boot.
    ///
    /// # Errors
    /// When the machine is off, ends, or does not come up in time.
    pub async fn connect(&self) -> Result<(), Failure> {
        self.agent().await.map(drop)
    }

    async fn agent(&self) -> Result<Arc<Agent>, Failure> {
        let patience = self.setup.accelerator.patience();
        let after = self.setup.machine.boot_timeout.saturating_mul(patience);
        let mut status = self.status.clone();
        let is_settled =
            |state: &State| !matches!(state, State::Booting { .. }) && !state.is_ending();
        let settled = status.wait_for(|status| is_settled(&status.state));
        let Ok(settled) = timeout(after, settled).await else {
            return Err(Failure::TimedOut {
                what: "connection to the agent".to_owned(),
                after,
            });
        };
        match settled {
            Ok(status) => match (&status.state, &status.agent) {
                (State::Ready { .. }, Some(agent)) => Ok(Arc::clone(agent)),
                (state, _) => Err(unavailable(state)),
            },
            Err(_) => Err(Failure::NotRunning),
        }
    }

    async fn request(
        &self,
        message: impl FnOnce(protocol::RequestId) -> ToGuest,
    ) -> Result<Request, Failure> {
        match self.agent().await?.request(message).await {
            Some(request) => Ok(request),
            None => Err(self.lost().await),
        }
    }

    /// The agent is gone: what has become of the machine?
    pub(super) async fn lost(&self) -> Failure {
        let mut status = self.status.clone();
        let is_settled =
            |state: &State| !matches!(state, State::Ready { .. }) && !state.is_ending();
        let settled = status.wait_for(|status| is_settled(&status.state));
        match timeout(SETTLING_TIME, settled).await {
            Ok(Ok(status)) => match status.state.end() {
                Some(_) => unavailable(&status.state),
                None => Failure::Closed,
            },
            _ => Failure::Closed,
        }
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When the machine cannot run it to its end. A command that fails is no error.
    pub async fn run(&self, command: &Command) -> Result<Completed, Failure> {
        let run = Run {
            script: command.script.clone(),
            timeout_ms: command.timeout.map(milliseconds),
            wait_for_output: command.wait_for_output.unwrap_or(false),
            stdin: false,
        };
        let mut request = self.request(|id| ToGuest::Run(id, run)).await?;
        let mut completed = Completed {
            status: ExitStatus::Code(0),
            stdout: Vec::new(),
            stderr: Vec::new(),
        };
        if command.detached {
            tokio::spawn(async move {
                while request
                    .next()
                    .await
                    .is_some_and(|reply| !matches!(reply, Reply::Done(_)))
                {}
            });
            return Ok(completed);
        }
        completed.status = loop {
            match request.next().await {
                Some(Reply::Output(Stream::Stdout, bytes)) => completed.stdout.extend(bytes),
                Some(Reply::Output(Stream::Stderr, bytes)) => completed.stderr.extend(bytes),
                Some(Reply::Done(Ok(Outcome::Ended { how, .. }))) => match how {
                    Ended::Code(code) => break ExitStatus::Code(code.into()),
                    Ended::Signal(signal) => break ExitStatus::Signal(signal.into()),
                },
                Some(Reply::Done(Ok(Outcome::TimedOut { .. }))) => break ExitStatus::TimedOut,
                Some(Reply::Done(outcome)) => return Err(refused(outcome)),
                Some(Reply::Data(_) | Reply::Credit(_)) => {}
                None => return Err(self.lost().await),
            }
        };
        Ok(completed)
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
            Condition::Unit { unit, user } => protocol::Condition::Unit { unit, user },
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

    /// Asks the guest to power off.
    ///
    /// # Errors
    /// When the machine cannot be asked, or its `poweroff` fails.
    pub async fn power_off(&self) -> Result<(), Failure> {
        self.tell("poweroff").await
    }

    /// Asks the guest to reboot, as Ctrl-Alt-Del does: the kernel answers that by SIGINT to init.
    ///
    /// # Errors
    /// When the machine cannot be asked.
    pub async fn reboot(&self) -> Result<(), Failure> {
        self.tell("kill -INT 1").await?;
        let (reply, answer) = oneshot::channel();
        self.orders
            .send(Order::Rebooting { reply })
            .await
            .map_err(|_| Failure::NotRunning)?;
        // A command that follows must not reach the guest that goes. One that has gone already cannot answer.
        let _ = answer.await;
        Ok(())
    }

    /// Runs a command that may take the agent away before it has answered.
    async fn tell(&self, script: &str) -> Result<(), Failure> {
        let command = Command {
            script: script.to_owned(),
            timeout: Some(SETTLING_TIME),
            detached: false,
            wait_for_output: None,
            early: false,
            quiet: true,
        };
        match self.run(&command).await {
            Ok(Completed {
                status: ExitStatus::Code(0),
                ..
            })
            | Err(Failure::Closed | Failure::NotRunning) => Ok(()),
            Ok(completed) => Err(Failure::Refused {
                reason: format!(
                    "`{script}` failed: {}",
                    String::from_utf8_lossy(&completed.stderr).trim()
                ),
            }),
            Err(failure) => Err(failure),
        }
    }

    /// Waits until QEMU has ended.
    ///
    /// # Errors
    /// When it did not end in time, or died or panicked instead.
    pub async fn wait_for_shutdown(&self, limit: Option<Duration>) -> Result<(), Failure> {
        let mut status = self.status.clone();
        let off = status.wait_for(|status| !status.state.is_running());
        let ended = match limit {
            Some(after) => match timeout(after, off).await {
                Ok(ended) => ended,
                Err(_) => {
                    return Err(Failure::TimedOut {
                        what: "shutdown".to_owned(),
                        after,
                    });
                }
            },
            None => off.await,
        };
        match ended {
            Ok(status) if status.state.end().is_none_or(End::is_orderly) => Ok(()),
            Ok(status) => Err(unavailable(&status.state)),
            Err(_) => Ok(()),
        }
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

    async fn stop(&self, order: Order, stopped: impl Fn(&State) -> bool) -> Result<(), Failure> {
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

    /// Writes a picture of the screen, as PNG.
    ///
    /// # Errors
    /// When QEMU does not run or refuses.
    pub async fn screenshot(&self, path: &Path) -> Result<(), Failure> {
        let qmp = self
            .status
            .borrow()
            .qmp
            .clone()
            .ok_or_else(|| unavailable(&self.state()))?;
        let arguments = json!({ "filename": path, "format": "png" });
        match qmp.execute("screendump", arguments).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Refused {
                reason: format!("no screenshot: {error}"),
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
        Some(End::PoweredOff | End::Reset | End::Killed) | None => Failure::NotRunning,
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

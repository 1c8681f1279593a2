//! How a handle has the guest power off, or boot anew.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use vmtest_script::backend::{Command, Completed, ExitStatus, MachineErrorKind as Failure};

use super::command::quiet;
use super::handle::{Handle, SETTLING_TIME, unavailable};
use super::lifecycle::End;
use super::task::Order;

impl Handle {
    /// Asks the guest to power off.
    ///
    /// # Errors
    /// When the machine cannot be asked, or its `poweroff` fails.
    pub async fn power_off(&self) -> Result<(), Failure> {
        self.agent(false).await?;
        self.tell("poweroff").await
    }

    /// Asks the guest to reboot, as Ctrl-Alt-Del does: the kernel answers that by SIGINT to init, or by a reset before
    /// there is one.
    ///
    /// # Errors
    /// When the machine cannot be asked.
    pub async fn reboot(&self) -> Result<(), Failure> {
        let is_connected = {
            let agent = self.status.borrow().agent.clone();
            agent.is_some_and(|agent| agent.is_connected())
        };
        if is_connected {
            self.tell("kill -INT 1").await?;
        } else {
            self.monitor("sendkey ctrl-alt-delete").await?;
        }
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
            // It is known already that it may be told.
            early: true,
            ..quiet(script, SETTLING_TIME * self.setup.accelerator.patience())
        };
        match self.run(&command).await {
            // One that is stopped, or does not end, is stopped by the very shutdown that it has begun.
            Ok(Completed {
                status: ExitStatus::Code(0) | ExitStatus::Signal(_) | ExitStatus::TimedOut,
                ..
            })
            | Err(Failure::Closed | Failure::NotRunning | Failure::Ended { .. }) => Ok(()),
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
}

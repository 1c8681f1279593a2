//! The agent's way into a guest that the runner did not build.
//!
//! Such a guest has a root shell for tests on a virtio console. When the shell announces itself, it is told to take the
//! agent's program from the agent's own port, and to start it there: from then on the machine is like any other. After
//! a reboot, or when the guest's initrd hands over to its root, another shell announces itself, and it is the same
//! again.
//!
//! - [`dialogue`]: what the shell says and what is to be done about it, pure;
//! - [`script`]: what the shell is told.

mod dialogue;
mod script;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::agent::{Agent, News};
use dialogue::{Dialogue, Step};

/// How long a shell may take to answer before it is asked again: something may have come in between.
const PATIENCE: Duration = Duration::from_secs(10);

/// Talks with the root shells of one run of QEMU, until that ends.
pub(super) struct RootShell {
    /// The other end of the guest's virtio console.
    pub(super) terminal: UnixStream,
    /// The agent to be.
    pub(super) agent: Arc<Agent>,
    /// Its program, for the guest.
    pub(super) program: PathBuf,
    /// Where to tell of new shells and of failures.
    pub(super) news: mpsc::UnboundedSender<News>,
}

impl RootShell {
    pub(super) async fn follow(mut self) {
        let mut dialogue = Dialogue::default();
        let mut installations = 0;
        let mut buffer = vec![0; 4096];
        loop {
            while let Some(step) = dialogue.next_step() {
                let written = match step {
                    Step::Ask => {
                        // Now, and not when the news is heard: the next agent may have said hello by then.
                        self.agent.reset();
                        let _ = self.news.send(News::RootShell);
                        self.say(&script::question()).await
                    }
                    Step::Install(boot) => {
                        installations += 1;
                        self.install(&boot, installations).await
                    }
                    Step::GiveUp(reason) => {
                        self.give_up(reason);
                        Ok(())
                    }
                };
                if written.is_err() {
                    return;
                }
            }
            let read = self.terminal.read(&mut buffer);
            match timeout(PATIENCE, read).await {
                Ok(Ok(length @ 1..)) => dialogue.hear(&buffer[..length]),
                Ok(_) => return,
                Err(_) if dialogue.is_waiting() => {
                    if self.say(&script::question()).await.is_err() {
                        return;
                    }
                }
                Err(_) => {}
            }
        }
    }

    async fn install(&mut self, boot: &str, number: u64) -> io::Result<()> {
        let program = match tokio::fs::read(&self.program).await {
            Ok(program) => program,
            Err(error) => {
                self.give_up(format!("{}: {error}", self.program.display()));
                return Ok(());
            }
        };
        let mark = format!("vmtest-parcel-{number}-{boot}");
        let script = script::installation(boot, &mark, program.len());
        self.say(&script).await?;
        self.agent.upload(script::parcel(&mark, &program)).await;
        Ok(())
    }

    /// Fails when QEMU is about to end.
    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.terminal.write_all(text.as_bytes()).await
    }

    fn give_up(&self, reason: String) {
        let _ = self.news.send(News::NotInstalled(reason));
    }
}

//! The channels of a QEMU that was started, and who follows them.

use std::os::unix::net::UnixStream as StdUnixStream;
use std::sync::Arc;

use tokio::fs::File;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::heard::ConsoleAudience;
use super::{Running, Task};
use crate::machine::agent::{Agent, News};
use crate::machine::console;
use crate::machine::journal::Journal;
use crate::machine::root_shell::RootShell;
use crate::machine::turns::Turn;
use crate::machine::{CONSOLE_LOG, JOURNAL_LOG};
use crate::vm::launch::Launch;
use crate::vm::process::{Channels, Qemu};
use crate::vm::qmp;

impl Task {
    /// Opens them all.
    pub(super) async fn open(&self, qemu: Qemu, channels: Channels) -> std::io::Result<Running> {
        let setup = &self.setup;
        let (sender, qmp_events) = mpsc::unbounded_channel();
        let qmp = qmp::Client::open(channels.qmp, sender)?;
        let (sender, news) = mpsc::unbounded_channel();
        let agent = Arc::new(Agent::open(channels.agent, sender.clone())?);
        let root_shell = self.follow_root_shell(channels.shell, &agent, sender)?;
        let (sender, panics) = mpsc::unbounded_channel();
        let (console, typing) = UnixStream::from_std(channels.console)?.into_split();
        let console = self.follow_console(console, sender);
        let mut plugs = Vec::new();
        for (interface, socket) in setup.launch.interfaces().iter().zip(channels.vlans) {
            if let Some(switch) = setup.switches.get(&interface.vlan) {
                plugs.push(switch.plug(socket)?);
            }
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(setup.logs.join(JOURNAL_LOG))
            .await?;
        let journal = Journal::new(log);
        // A QEMU that ends before it has greeted is seen by its end.
        let greeting = qmp.clone();
        let greeted = tokio::spawn(async move {
            if let Err(error) = greeting.negotiate().await {
                tracing::debug!(%error, "QMP cannot be negotiated");
            }
        });
        Ok(Running {
            qemu,
            qmp,
            qmp_events,
            memory: channels.memory.map(Arc::new),
            greeted,
            agent,
            root_shell,
            news,
            typing: Arc::new(Mutex::new(typing)),
            console,
            panics,
            journal,
            kill_at: None,
            turn: Turn::Over,
            _plugs: plugs,
        })
    }

    /// Has the agent brought into a guest that does not have it.
    fn follow_root_shell(
        &self,
        terminal: Option<StdUnixStream>,
        agent: &Arc<Agent>,
        news: mpsc::UnboundedSender<News>,
    ) -> std::io::Result<Option<JoinHandle<()>>> {
        let (Some(terminal), Launch::Command(command)) = (terminal, &self.setup.launch) else {
            return Ok(None);
        };
        let root_shell = RootShell {
            terminal: UnixStream::from_std(terminal)?,
            agent: Arc::clone(agent),
            program: command.agent.clone(),
            news,
        };
        Ok(Some(tokio::spawn(root_shell.follow())))
    }

    fn follow_console(
        &self,
        console: OwnedReadHalf,
        panics: mpsc::UnboundedSender<String>,
    ) -> JoinHandle<()> {
        let (setup, record) = (Arc::clone(&self.setup), Arc::clone(&self.record));
        tokio::spawn(async move {
            let log = setup.logs.join(CONSOLE_LOG);
            let audience = ConsoleAudience {
                setup: &setup,
                panics,
            };
            let followed = console::follow(console, &log, &record.transcript, audience);
            if let Err(error) = followed.await {
                let name = &setup.name;
                setup
                    .events
                    .warn(format!("{name}: the console cannot be logged: {error}"));
            }
        })
    }
}

//! The running QEMU: started with its sockets in place, and gone with the runner, however that ends.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{
    Pid, Signal, kill_process, kill_process_group, set_parent_process_death_signal,
};
use thiserror::Error;
use tokio::process::{Child, Command};

use crate::snapshot::SaveError;
use crate::vm::company::Company;
use crate::vm::plan::{AGENT_FD, CONSOLE_FD, FIRST_VLAN_FD, MEMORY_FD, Plan, QMP_FD};

/// Why QEMU could not be started.
#[derive(Debug, Error)]
pub enum LaunchError {
    /// No sockets, or no log file.
    #[error("cannot prepare QEMU's channels: {0}")]
    Channels(io::Error),
    /// No socket of a name: its path may be too long.
    #[error("cannot prepare QEMU's channel {path}: {error}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A folder that the machine is to see cannot be shared.
    #[error(transparent)]
    Share(#[from] vmtest_share::ShareError),
    /// What was saved of the machine cannot be had.
    #[error(transparent)]
    Restore(#[from] SaveError),
    /// The program could not be run.
    #[error("cannot run {program}: {error}")]
    Program {
        /// The program.
        program: String,
        /// Why.
        error: io::Error,
    },
    /// A start command ended and was no QEMU, or one that did not take its arguments.
    #[error(
        "the start command ended ({status}) before QEMU had connected{}",
        said(words)
    )]
    NoQemu {
        /// Its exit status.
        status: String,
        /// The last of what it said.
        words: String,
    },
    /// A start command did not become a QEMU that connects.
    #[error("the start command did not become a QEMU that connects within {} s", after.as_secs())]
    NotConnected {
        /// How long it was waited for.
        after: Duration,
    },
}

/// What goes behind a status.
fn said(words: &str) -> String {
    match words {
        "" => String::new(),
        words => format!("; it said: {words}"),
    }
}

/// How much of what QEMU itself says goes into an error, in bytes.
const WORDS: usize = 2000;

/// The last of what a QEMU has said into its log.
pub async fn last_words(log: &Path) -> String {
    // One that has said nothing may not have a log.
    let words = tokio::fs::read(log).await.unwrap_or_default();
    let tail = &words[words.len().saturating_sub(WORDS)..];
    String::from_utf8_lossy(tail).trim().to_owned()
}

/// A running QEMU, and what it has started, or what has started it.
#[derive(Debug)]
pub struct Qemu {
    child: Child,
    group: Pid,
    company: Option<Company>,
}

/// The runner's ends of a QEMU's channels.
#[derive(Debug)]
pub struct Channels {
    /// What the guest writes to its serial console, and reads from it.
    pub console: UnixStream,
    /// QEMU's control channel.
    pub qmp: UnixStream,
    /// The root shell's virtio console, of a guest that has one.
    pub shell: Option<UnixStream>,
    /// The agent's port.
    pub agent: UnixStream,
    /// The frames of each interface, in order.
    pub vlans: Vec<UnixDatagram>,
    /// The guest's memory, of a machine that the runner has planned.
    pub memory: Option<File>,
}

/// What a QEMU is given beside its arguments.
#[derive(Debug)]
pub struct Supplies {
    /// The guest's memory.
    pub memory: File,
    /// How many interfaces it has on VLANs.
    pub vlans: usize,
    /// Its ends of the connections to the servers of shared folders.
    pub shares: Vec<UnixStream>,
}

impl Qemu {
    /// Starts QEMU. What it says on its own outputs goes to `log`.
    ///
    /// # Errors
    /// When the program or its channels cannot be had. A guest that cannot be started is seen later, by QEMU's end.
    pub fn launch(
        program: &Path,
        plan: &Plan,
        supplies: Supplies,
        log: &Path,
    ) -> Result<(Self, Channels), LaunchError> {
        let (channels, mappings) = connect(supplies).map_err(LaunchError::Channels)?;
        let output = File::create(log).map_err(LaunchError::Channels)?;
        let errors = output.try_clone().map_err(LaunchError::Channels)?;
        let mut command = std::process::Command::new(program);
        command
            .args(&plan.arguments)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        let collision = |error| LaunchError::Channels(io::Error::other(error));
        command.fd_mappings(mappings).map_err(collision)?;
        Ok((Self::spawn(command, None)?, channels))
    }

    /// Starts a program that becomes QEMU, and may start others that run beside it.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(super) fn spawn_with_company(
        mut command: std::process::Command,
    ) -> Result<Self, LaunchError> {
        let (company, mapping) = Company::new().map_err(LaunchError::Channels)?;
        let collision = |error| LaunchError::Channels(io::Error::other(error));
        command.fd_mappings(vec![mapping]).map_err(collision)?;
        Self::spawn(command, Some(company))
    }

    fn spawn(
        command: std::process::Command,
        company: Option<Company>,
    ) -> Result<Self, LaunchError> {
        let mut command = Command::from(command);
        // Its own group: what a terminal sends to the runner is the runner's to handle.
        command.kill_on_drop(true).process_group(0);
        die_with_parent(&mut command);
        let program = command.as_std().get_program().display().to_string();
        let started = command.spawn().and_then(|child| {
            let pid = child.id().and_then(|pid| pid.try_into().ok());
            let group = pid.and_then(Pid::from_raw);
            let group = group.ok_or_else(|| io::Error::other("it has no process id"))?;
            Ok(Self {
                child,
                group,
                company,
            })
        });
        started.map_err(|error| LaunchError::Program { program, error })
    }

    /// Whether others may run beside it, which have to be told when it ends.
    #[must_use]
    pub fn has_company(&self) -> bool {
        self.company.is_some()
    }

    /// The process id, until the end was waited for.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends QEMU at once; its end is then seen by [`wait`](Self::wait). What runs beside it sees that end for itself.
    pub fn kill(&mut self) {
        if self.child.id().is_some() {
            // The first of a group has its number.
            if let Err(error) = kill_process(self.group, Signal::KILL) {
                tracing::debug!(%error, "QEMU cannot be killed: it has ended");
            }
        }
    }

    fn kill_group(&self) {
        if let Err(error) = kill_process_group(self.group, Signal::KILL) {
            tracing::debug!(%error, "QEMU cannot be killed: it has ended");
        }
    }

    /// Waits for QEMU's end, and for that of what runs beside it. May be dropped and called again.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        if let Some(company) = &mut self.company {
            company.part().await;
        }
        // What a start command leaves behind has no purpose any more.
        self.kill_group();
        Ok(status)
    }
}

impl Drop for Qemu {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.kill_group();
        }
        if let Some(company) = &self.company {
            company.kill();
        }
    }
}

fn connect(supplies: Supplies) -> io::Result<(Channels, Vec<FdMapping>)> {
    let Supplies {
        memory,
        vlans,
        shares,
    } = supplies;
    let mut mappings = Vec::new();
    let mut map = |fd: OwnedFd, child_fd| {
        mappings.push(FdMapping {
            parent_fd: fd,
            child_fd,
        })
    };
    let mut stream = |child_fd| -> io::Result<UnixStream> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        map(theirs.into(), child_fd);
        Ok(ours)
    };
    let (console, qmp, agent) = (stream(CONSOLE_FD)?, stream(QMP_FD)?, stream(AGENT_FD)?);
    map(memory.try_clone()?.into(), MEMORY_FD);
    let mut sockets = Vec::new();
    let mut child_fds = FIRST_VLAN_FD..;
    for child_fd in child_fds.by_ref().take(vlans) {
        let (ours, theirs) = UnixDatagram::pair()?;
        map(theirs.into(), child_fd);
        sockets.push(ours);
    }
    for (theirs, child_fd) in shares.into_iter().zip(child_fds) {
        map(theirs.into(), child_fd);
    }
    Ok((
        Channels {
            console,
            qmp,
            shell: None,
            agent,
            vlans: sockets,
            memory: Some(memory),
        },
        mappings,
    ))
}

/// The kernel kills QEMU when the runner's thread that started it ends, by whatever cause. That thread must therefore
/// live as long as the runner: it is one of the runtime's own.
#[expect(unsafe_code, reason = "pre_exec runs between fork and exec")]
fn die_with_parent(command: &mut Command) {
    let runner = rustix::process::getpid();
    // SAFETY: the closure makes two system calls and allocates nothing, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // The runner may have ended before the kernel was told.
            match rustix::process::getppid() {
                Some(parent) if parent == runner => Ok(()),
                _ => Err(io::Error::from(rustix::io::Errno::SRCH)),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, BufReader};

    use super::*;

    /// A program that becomes another, which holds a pipe; `beside` runs beside it, and has the other end as its input.
    async fn started(beside: &str, folder: &Path) -> Qemu {
        let script = format!(
            "mkfifo pipe; ({beside}) < pipe > /dev/null 2>&1 & exec 5> pipe; echo ready; exec cat"
        );
        let mut command = std::process::Command::new("sh");
        command
            .args(["-c", &script])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut qemu = Qemu::spawn_with_company(command).expect("started");
        let output = qemu.child.stdout.take().expect("an output");
        let said = BufReader::new(output).lines().next_line().await;
        assert_eq!(said.expect("said").as_deref(), Some("ready"));
        qemu
    }

    #[tokio::test]
    async fn what_runs_beside_a_killed_qemu_puts_its_things_down() {
        let folder = tempfile::tempdir().expect("a folder");
        // In a session of its own, as a daemon is.
        let beside = "setsid sh -c 'cat; touch put-down'";
        let mut qemu = started(beside, folder.path()).await;
        qemu.kill();
        qemu.wait().await.expect("ended");
        assert!(folder.path().join("put-down").exists());
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut qemu = started(
            "setsid sh -c 'echo $$ > id; exec sleep 1000'",
            folder.path(),
        )
        .await;
        let id = || {
            let id = std::fs::read_to_string(folder.path().join("id")).ok()?;
            id.trim().parse().ok().and_then(Pid::from_raw)
        };
        // It is at its first words when the other one says it is ready.
        let id = loop {
            tokio::task::yield_now().await;
            if let Some(id) = id() {
                break id;
            }
        };
        qemu.kill();
        qemu.wait().await.expect("ended");
        // Time stands still for the runner, but not for the kernel, which has been told.
        let deadline = std::time::Instant::now() + Duration::from_secs(60);
        let stat = || std::fs::read_to_string(format!("/proc/{}/stat", id.as_raw_nonzero()));
        // Whoever has to bury it may not have done so.
        while stat().is_ok_and(|stat| !stat.contains(") Z ")) {
            assert!(std::time::Instant::now() < deadline, "it is still there");
            std::thread::yield_now();
        }
    }
}

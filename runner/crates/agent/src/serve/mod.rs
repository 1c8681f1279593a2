//! The conversation with the runner, from the hello to the end of the machine.
//!
//! One thread reads, and never waits for a request; each request has a thread of its own; one thread writes what they
//! all have to say, so that frames are never interleaved, and leaves that to a request that is at its end. What waits to be written is bounded: whoever produces output
//! waits for room, and so, through its pipes, does the command.
//!
//! - [`connection`]: from a runner's arrival to its leaving;
//! - [`queue`]: what waits to be written, and the thread that writes it;
//! - [`task`]: what all requests have in common: deadline, cancellation, a way out for messages; [`workers`]: their threads;
//! - [`command`], [`mod@wait`], [`put`], [`get`]: the requests, with [`feed`]: the data that comes to them;
//! - [`shell`], [`init`], [`dbus`]: the guest's shell and environment, its first process, its service managers;
//! - [`journal`], [`booted`]: what is told without a request: the guest's journal, and when it is up;
//! - [`resume`]: a machine that was saved goes on.

mod booted;
mod command;
mod connection;
mod dbus;
mod feed;
mod get;
mod init;
mod journal;
mod put;
mod queue;
mod resume;
mod shell;
mod task;
mod wait;
mod workers;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::rand::{GetRandomFlags, getrandom};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use vmtest_protocol::{Features, Hello, ToHost, VERSION};

use crate::kmsg::{self, Level, note};
use crate::process;
use journal::Told;
use shell::Shell;
use workers::Workers;

/// Between two looks whether a runner is there.
const INTERVAL: Duration = Duration::from_millis(10);

/// What was told before the machine was saved.
#[derive(Debug, Default)]
struct Past {
    /// The guest is up.
    booted: Arc<AtomicBool>,
    journal: Arc<Told>,
}

/// The agent of one boot.
#[derive(Debug)]
pub struct Agent {
    session: u64,
    /// Whether it speaks for the whole guest, and not for its commands alone.
    guest: bool,
    shell: Arc<Shell>,
    workers: Arc<Workers>,
    /// What an earlier conversation has told, if the machine goes on from where it was saved then.
    past: Past,
}

impl Agent {
    /// A new agent, with a session of its own; `guest`: whether it also tells of the guest's
    /// boot and journal.
    #[must_use]
    pub fn new(guest: bool) -> Self {
        Self {
            session: new_session(),
            guest,
            shell: Arc::default(),
            workers: Arc::default(),
            past: Past::default(),
        }
    }

    /// Talks with one runner until it goes.
    ///
    /// # Errors
    /// When the port cannot be read.
    pub fn converse(&mut self, port: &OwnedFd) -> io::Result<()> {
        while let Some(resume) = connection::run(self, port)? {
            if self.guest {
                self.past.journal.note_clock();
                resume::resume(&resume);
            }
            self.session = new_session();
        }
        Ok(())
    }
}

fn new_session() -> u64 {
    let mut session = [0; 8];
    // Early in the boot there may be no entropy yet, and none is needed.
    let _ = getrandom(&mut session, GetRandomFlags::INSECURE);
    u64::from_le_bytes(session)
}

/// The agent's name for itself: systemd's shutdown spares processes whose name begins with `@`, as it spares those that
/// hold up the root file system.
pub(crate) const NAME: &str = "@vmtest-agent";

/// Starts the agent that stays, with its port.
pub(crate) fn start(port: OwnedFd) -> io::Result<Child> {
    command(port).spawn()
}

/// The word by which an agent knows that it is one that does not stay.
pub const BRIEFLY: &str = "briefly";

/// Starts an agent that ends when it is told to, as other programs do.
pub(crate) fn start_briefly(port: OwnedFd) -> io::Result<Child> {
    command(port)
        .arg0(NAME.trim_start_matches('@'))
        .arg(BRIEFLY)
        .spawn()
}

/// What starts the agent that stays, or turns this process into it.
pub(crate) fn command(port: OwnedFd) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(NAME)
        .env_clear()
        .stdin(Stdio::from(port))
        .stdout(Stdio::null())
        .stderr(kmsg::open().map_or_else(|_| Stdio::null(), Stdio::from));
    command
}

/// Serves whoever is at the other end of standard input, a virtio-serial port, for ever.
#[must_use]
pub fn stay() -> ExitCode {
    outlive();
    serve()
}

/// The same, until somebody ends it.
#[must_use]
pub fn serve() -> ExitCode {
    match try_serve() {
        Ok(never) => match never {},
        Err(error) => {
            note(Level::Critical, &format!("the agent ends: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn try_serve() -> io::Result<std::convert::Infallible> {
    use std::os::fd::AsFd;
    let port = io::stdin().as_fd().try_clone_to_owned()?;
    let mut agent = Agent::new(true);
    loop {
        wait_for_runner(&port)?;
        agent.converse(&port)?;
    }
}

/// Makes this process one that nobody stops by accident, under a name that says what it is.
fn outlive() {
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"vmtest-agent");
    process::protect();
    // Caught, not ignored or blocked: commands would inherit that, and hold up the guest's shutdown.
    for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
        let _ = signal_hook::flag::register(signal, Arc::default());
    }
}

/// A virtio-serial port without a runner at the other end reports a hang-up.
fn wait_for_runner(port: &OwnedFd) -> io::Result<()> {
    loop {
        let mut state = [PollFd::new(port, PollFlags::OUT)];
        poll(&mut state, Some(&Timespec::default()))?;
        if !state[0].revents().contains(PollFlags::HUP) {
            return Ok(());
        }
        std::thread::sleep(INTERVAL);
    }
}

/// What the agent says first.
pub(crate) fn greeting(session: u64) -> ToHost {
    ToHost::Hello(Hello {
        version: VERSION,
        features: Features::default(),
        session,
    })
}

/// For rustix: a duration as the kernel takes it.
pub(crate) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}

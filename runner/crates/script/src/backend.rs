//! What a script needs from the world: two blocking traits, implemented by the runner over its tasks and by tests over a
//! fake.
//!
//! A script may call from several threads at once, and the interpreter has no global lock: every method may run at the
//! same time as every other one, also on the same machine. A call returns when its work is done; a runner that stops
//! the test makes every call under way, and every later one, return [`MachineErrorKind::Aborted`] or [`Aborted`].

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::{ScriptEvent, StepId};

/// A virtual machine, as a script drives it.
pub trait Machine: Send + Sync {
    /// The name as in the manifest, such as `web-1`; the script's variable is made from it.
    fn name(&self) -> &str;

    /// Starts QEMU and returns when it runs, without waiting for the guest. Does nothing when it runs already.
    fn start(&self, start: &Start) -> Result<(), MachineError>;

    /// Waits until the guest is up and its agent answers, up to a deadline of the backend's own. Returns at once when it
    /// is connected. The machine was started before.
    fn connect(&self) -> Result<(), MachineError>;

    /// The same, but does not trust a connection that is there: it counts only when the agent has answered anew. For
    /// scripts that know of a reboot before anybody else does.
    fn reconnect(&self) -> Result<(), MachineError>;

    /// Whether QEMU runs.
    fn is_booted(&self) -> bool;

    /// Whether the guest's agent is connected.
    fn is_connected(&self) -> bool;

    /// The process id of QEMU while it runs.
    fn pid(&self) -> Option<u32>;

    /// The exit status of the last QEMU that ended, as Python's `subprocess` counts: a signal is negative. None while it
    /// runs, or before the first.
    fn exit_status(&self) -> Option<i32>;

    /// The host's folder for what belongs to this machine alone; it exists.
    fn state_dir(&self) -> &Path;

    /// Runs a command in the guest and waits for its end, except if it is [detached](Command::detached).
    ///
    /// A command that fails or runs out of time is `Ok`: an error is a machine that could not run it to its end.
    fn run(&self, command: &Command) -> Result<Completed, MachineError>;

    /// Starts a shell in the guest, or the root shell's successor, whose input and output are the caller's.
    fn open_shell(&self) -> Result<Box<dyn Shell>, MachineError>;

    /// Waits in the guest until `condition` holds; it is looked at once at least, whatever the time-out.
    fn wait(
        &self,
        condition: &Condition,
        timeout: Option<Duration>,
    ) -> Result<WaitOutcome, MachineError>;

    /// Copies the file or tree `source` of the host to the path `target` in the guest, making its parent directories.
    fn copy_in(&self, source: &Path, target: &str) -> Result<(), MachineError>;

    /// Copies the file or tree `source` of the guest into the host's directory `target_dir`, which is made if it is
    /// missing; the base name stays.
    fn copy_out(&self, source: &str, target_dir: &Path) -> Result<(), MachineError>;

    /// Asks the guest to power off and returns when it was told so.
    fn power_off(&self) -> Result<(), MachineError>;

    /// Waits until QEMU has ended; returns at once when it does not run. Running out of time is
    /// [`MachineErrorKind::TimedOut`].
    fn wait_for_shutdown(&self, timeout: Option<Duration>) -> Result<(), MachineError>;

    /// Ends QEMU at once, like a power failure, and returns when it is gone.
    fn crash(&self) -> Result<(), MachineError>;

    /// Presses Ctrl-Alt-Del. From here on the machine counts as not connected: the next [`connect`](Machine::connect)
    /// waits for the agent of the next boot.
    fn reset(&self) -> Result<(), MachineError>;

    /// Writes a picture of the screen to `path`, as PNG.
    fn screenshot(&self, path: &Path) -> Result<(), MachineError>;

    /// Reads the screen by OCR: hands the text of each variant of the picture, the likeliest first, to `seen`, until that
    /// returns true or there are no more. With `variants` false there is only one.
    fn read_screen(
        &self,
        variants: bool,
        seen: &mut dyn FnMut(String) -> bool,
    ) -> Result<(), MachineError>;

    /// Runs a command of QEMU's human monitor, such as `sendkey ctrl-alt-f2`, and returns what it prints.
    fn monitor(&self, command: &str) -> Result<String, MachineError>;

    /// Runs a QMP command. `arguments` is a JSON object, or empty; the result is the JSON text of what it returns. An error
    /// that QEMU reports is [`MachineErrorKind::Qmp`].
    fn qmp(&self, command: &str, arguments: &str) -> Result<String, MachineError>;

    /// Takes the oldest QMP event that no one has taken, as JSON text, waiting for one if need be; none when the time is
    /// over. Events are kept from the machine's start on.
    fn next_qmp_event(&self, timeout: Option<Duration>) -> Result<Option<String>, MachineError>;

    /// Types on the serial console.
    fn send_console(&self, bytes: &[u8]) -> Result<(), MachineError>;

    /// What the serial console has shown from `position` on, which counts the bytes of cleaned text since the machine's
    /// first start. Waits until there is something, the machine ends, or the time is over: then the text is empty.
    fn console_text(
        &self,
        position: u64,
        timeout: Option<Duration>,
    ) -> Result<ConsoleText, MachineError>;

    /// Takes the cable out of the machine's first network interface on a VLAN, or plugs it in again.
    fn set_link(&self, up: bool) -> Result<(), MachineError>;

    /// Has a port of the host lead to a port of the guest.
    fn forward_port(&self, host_port: u16, guest_port: u16) -> Result<(), MachineError>;
}

/// A shell in a guest; dropping it ends it.
pub trait Shell: Send + Sync {
    /// Writes to its input.
    fn send(&self, bytes: &[u8]) -> Result<(), MachineError>;

    /// What it has printed on either output since the last call; waits until there is something, or for the time-out.
    /// Empty when the time is over, `None` when it has ended.
    fn receive(&self, timeout: Option<Duration>) -> Result<Option<Vec<u8>>, MachineError>;
}

/// The test as a whole, as a script sees it.
pub trait Driver: Send + Sync {
    /// All machines, in the order of their names.
    fn machines(&self) -> &[Arc<dyn Machine>];

    /// The numbers of the VLANs, ascending.
    fn vlans(&self) -> &[u32];

    /// The directory that becomes the test's output.
    fn out_dir(&self) -> &Path;

    /// The host's folder in which the state directories of machines are made; it exists.
    fn tmp_dir(&self) -> &Path;

    /// The host's folder that all guests see as `/tmp/shared`; it exists, even where no guest has it mounted.
    fn shared_dir(&self) -> &Path;

    /// Makes a machine that a command of the host's shell starts, as the start scripts of NixOS machines do; it is off.
    fn create_machine(&self, machine: &NewMachine) -> Result<Arc<dyn Machine>, MachineError>;

    /// Saves machines of the test, by name, as they are at one moment, and returns the number of the snapshot. They run, and
    /// go on running. No name is given twice.
    fn snapshot(&self, machines: &[String]) -> Result<u64, MachineError>;

    /// Has machines go back to what they were in a snapshot, whatever they do now. Whatever is under way in them ends with
    /// [`MachineErrorKind::Ended`]. No name is given twice.
    fn restore(&self, snapshot: u64, machines: &[String]) -> Result<(), MachineError>;

    /// Nobody will go back to this snapshot any more.
    fn forget_snapshot(&self, snapshot: u64);

    /// Whether lines of the serial consoles are shown in the log.
    fn show_consoles(&self, on: bool);

    /// Has `act` called, from whatever thread, as soon as the runner stops the test; at once if it was stopped already.
    /// It returns quickly.
    fn when_stopped(&self, act: Box<dyn FnOnce(Aborted) + Send>);

    /// Takes note of what the script does. Called in the order in which things happened on each thread.
    fn event(&self, event: ScriptEvent);

    /// The time, for deadlines of waits and durations of steps.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits between two tries of a loop.
    ///
    /// # Errors
    /// [`Aborted`] as soon as the runner stops the test.
    fn sleep(&self, duration: Duration) -> Result<(), Aborted>;
}

/// How to start a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// Let QEMU go on when the guest reboots; otherwise it ends then.
    pub allow_reboot: bool,
    /// The folder to use in place of the machine's own [state directory](Machine::state_dir): a machine can take over
    /// the disks that another one has left.
    pub state_dir: Option<PathBuf>,
}

/// A shell command for the guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The whole text for `bash -c` (`sh -c` in a guest without bash), with the shell options that the driver promises
    /// already set in it. It runs as root.
    pub script: String,
    /// When to kill the command with all of its children; `None`: never.
    pub timeout: Option<Duration>,
    /// Return as soon as the guest has the command; its output is dropped and its status is not known.
    pub detached: bool,
    /// Return only when nobody holds the command's outputs any more, not already at its own end. None leaves that to
    /// the test's option.
    pub wait_for_output: Option<bool>,
    /// Do not wait for the guest to be up: its agent is enough, from the initrd's end on.
    pub early: bool,
    /// Do not show its output in the log: it answers a question of the driver's own.
    pub quiet: bool,
    /// The step or subtest in which it runs.
    pub step: Option<StepId>,
}

/// Put before every command of a script, so that it fails where any part of it fails.
pub(crate) const SHELL_OPTIONS: &str = "set -euo pipefail; ";

impl Command {
    /// The command as the script has it.
    #[must_use]
    pub fn text(&self) -> &str {
        let script = self.script.as_str();
        script.strip_prefix(SHELL_OPTIONS).unwrap_or(script)
    }
}

/// A machine that a script makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMachine {
    /// Its name; none has it made from the command.
    pub name: Option<String>,
    /// Command of the host's shell that becomes QEMU; arguments of the runner's are appended to it.
    pub start_command: String,
    /// Keep what a machine of the same name left in its [state directory](Machine::state_dir).
    pub keep_state: bool,
}

/// A part of what a serial console has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleText {
    /// The text, without what acts on terminals; a line that has no end yet is in it.
    pub text: String,
    /// The position after it.
    pub end: u64,
    /// Whether the machine runs: if not, no more comes.
    pub running: bool,
}

/// How a command ended, and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completed {
    /// How it ended; success for a detached one.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error output; of a long one the beginning and the end.
    pub stderr: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It ended by itself, with this code.
    Code(i32),
    /// It was killed by this signal.
    Signal(i32),
    /// It was killed because its time was over.
    TimedOut,
}

/// What can be waited for inside a guest.
///
/// A condition that can never hold any more, such as a unit that has failed, is an error of the wait:
/// [`MachineErrorKind::Refused`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A TCP connection to `addr` (a name or an address) is accepted.
    TcpOpen {
        /// A name or an address, resolved in the guest.
        addr: String,
        /// The port.
        port: u16,
    },
    /// A TCP connection to `addr` is not accepted.
    TcpClosed {
        /// A name or an address, resolved in the guest.
        addr: String,
        /// The port.
        port: u16,
    },
    /// Some socket of the guest is bound to a UDP port.
    UdpOpen {
        /// The port.
        port: u16,
    },
    /// A UNIX socket takes connections, or datagrams.
    UnixOpen {
        /// Its path.
        path: String,
        /// Whether it takes datagrams.
        datagram: bool,
    },
    /// A file, of whatever kind, is there.
    File {
        /// A word of the shell's language, which expands globs, variables and substitutions in it.
        word: String,
    },
    /// A unit of systemd is in a state.
    Unit {
        /// Its name, or anything that `systemctl` takes for one.
        unit: String,
        /// The user whose service manager has it; none: the system's.
        user: Option<String>,
        /// The state, such as `inactive`. None waits for it to be active: then it is an error that it has failed, or is
        /// inactive while no job is queued.
        state: Option<String>,
    },
}

/// How a wait ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The condition held.
    Met,
    /// The time was over.
    TimedOut {
        /// What the last look saw, such as `connection refused`; may be empty.
        last: String,
    },
}

/// What went wrong with a machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{machine}: {kind}")]
pub struct MachineError {
    /// Name of the machine.
    pub machine: String,
    /// What happened.
    pub kind: MachineErrorKind,
}

/// The ways in which a machine can fail a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachineErrorKind {
    /// The call needs a running machine.
    #[error("the machine does not run")]
    NotRunning,
    /// QEMU could not be started.
    #[error("cannot start: {reason}")]
    CannotStart {
        /// Why.
        reason: String,
    },
    /// The guest itself ended the machine: it powered off, or rebooted where it may not.
    #[error("the machine does not run any more: {how}")]
    Ended {
        /// How, such as `the guest powered off`.
        how: String,
    },
    /// QEMU ended while it was needed.
    #[error("QEMU ended unexpectedly ({status})")]
    Died {
        /// How it ended, such as `killed by signal 9`.
        status: String,
    },
    /// The guest could not be booted, or not be run any further.
    #[error("{reason}")]
    Broken {
        /// Why.
        reason: String,
    },
    /// The guest's kernel panicked.
    #[error("the guest's kernel panicked: {message}")]
    Panicked {
        /// The kernel's own line.
        message: String,
    },
    /// The guest's agent closed its connection, as on a shutdown or reboot.
    #[error("the guest closed the connection")]
    Closed,
    /// The machine did not get somewhere in time.
    #[error("{what} not reached within {} seconds", .after.as_secs_f64())]
    TimedOut {
        /// What was waited for, such as `connection to the agent`.
        what: String,
        /// How long.
        after: Duration,
    },
    /// The call itself was refused, by the guest or by the host, and the machine is well: a missing file, for instance.
    /// The script asked for it, so this fails the test like a failed command.
    #[error("{reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// QEMU refuses a QMP command.
    #[error("QEMU refuses the command: {description} ({class})")]
    Qmp {
        /// The class of its error, such as `CommandNotFound`.
        class: String,
        /// Its words.
        description: String,
    },
    /// The runner stops the test.
    #[error("test stopped: {reason}")]
    Aborted {
        /// Why, such as `the test's time is over`.
        reason: String,
    },
}

/// The runner stops the test.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("test stopped: {reason}")]
pub struct Aborted {
    /// Why, such as `the test's time is over`.
    pub reason: String,
}

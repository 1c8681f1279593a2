//! Waits for units of systemd.
//!
//! A unit is looked at when its manager says that it has changed. One that has failed, or that is inactive while no job
//! is there to change that, is not waited for, as the NixOS test driver has it.

use std::fs;
use std::time::{Duration, Instant};

use vmtest_protocol::Failure;

use super::{Look, Vain, Watch};
use crate::process::{HOME, capture, tool};
use crate::serve::dbus::{Manager, Signal, Silence};
use crate::serve::init::Init;
use crate::serve::task::{Stopped, Task};

/// The socket of the system's manager.
const SYSTEM: &str = "/run/systemd/private";

/// Between attempts to reach a manager that is not there.
const ABSENT: Duration = Duration::from_millis(20);

/// How long a unit has to stay inactive without any job before it is given up: what starts it may be on its way to the
/// manager. The NixOS test driver takes about as long for its questions.
const GRACE: Duration = Duration::from_millis(150);

/// How long the guest may take to tell a user's number.
const FOR_USER: Duration = Duration::from_secs(30);

/// Suffixes of units, as `systemd.unit(5)` lists them.
const SUFFIXES: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];

/// Waits for a unit to be in a state.
pub(crate) struct UnitWatch {
    unit: String,
    /// As whoever waits calls it.
    shown: String,
    socket: String,
    of_user: bool,
    /// None waits for it to be active, unless that is in vain.
    state: Option<String>,
    connection: Option<Connection>,
    /// The state that its manager has told of since the last look.
    told: Option<String>,
    /// Since when it is inactive while there is no job.
    idle: Option<Instant>,
}

/// A manager that is there, and the unit's object in it.
struct Connection {
    manager: Manager,
    object: String,
    /// How many jobs more than none there are, since they were counted.
    jobs: i64,
}

impl UnitWatch {
    /// Without a state, waits for the unit to be active as long as that may happen.
    pub(crate) fn new(
        unit: &str,
        user: Option<&str>,
        state: Option<String>,
    ) -> Result<Self, Failure> {
        let socket = match user {
            None => SYSTEM.to_owned(),
            Some(user) => format!("/run/user/{}/systemd/private", number_of(user)?),
        };
        Ok(Self {
            unit: full_name(unit),
            shown: unit.to_owned(),
            socket,
            of_user: user.is_some(),
            state,
            connection: None,
            told: None,
            idle: None,
        })
    }

    fn connection(&mut self, task: &Task) -> Result<&mut Connection, Silence> {
        if self.connection.is_none() {
            let mut manager = Manager::connect(task, &self.socket)?;
            let object = manager.load_unit(task, &self.unit)?;
            self.connection = Some(Connection {
                manager,
                object,
                jobs: 0,
            });
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => Err(Silence::Lost(std::io::ErrorKind::NotConnected.into())),
        }
    }

    /// Whether this is the state that is waited for.
    fn is_wanted(&self, state: &str) -> bool {
        state == self.state.as_deref().unwrap_or("active")
    }

    fn state(&mut self, task: &Task) -> Result<Look, Silence> {
        // Any other state may have passed already.
        if let Some(state) = self.told.take()
            && self.is_wanted(&state)
        {
            return Ok(Look::Holds);
        }
        let connection = self.connection(task)?;
        let state = connection.manager.active_state(task, &connection.object)?;
        if self.is_wanted(&state) {
            return Ok(Look::Holds);
        }
        if state != "inactive" {
            self.idle = None;
        }
        let may_wait = match (&self.state, state.as_str()) {
            (None, "failed") => {
                let failure = format!("unit \"{}\" reached state \"failed\"", self.shown);
                return Err(Silence::Final(failure));
            }
            (None, "inactive") => self.may_start(task)?,
            _ => true,
        };
        if may_wait {
            return Ok(Look::NotYet(format!("state {state}")));
        }
        let failure = format!(
            "unit \"{}\" is inactive and there are no pending jobs",
            self.shown
        );
        Err(Silence::Final(failure))
    }

    /// Whether anything could still start an inactive unit.
    fn may_start(&mut self, task: &Task) -> Result<bool, Silence> {
        let connection = self.connection(task)?;
        connection.jobs = connection.manager.jobs(task)?;
        if connection.jobs > 0 {
            self.idle = None;
            return Ok(true);
        }
        let since = *self.idle.get_or_insert_with(Instant::now);
        Ok(since.elapsed() < GRACE)
    }

    /// What it means that the manager is not there.
    fn absent(&self, error: &std::io::Error) -> Result<Look, Vain> {
        if let Init::Other(program) = Init::now() {
            return Err(Vain::Never(Failure(format!(
                "the guest has no systemd to ask for units: its first process is {program}"
            ))));
        }
        let whose = match self.of_user {
            true => "the user's service manager",
            false => "systemd",
        };
        let socket = &self.socket;
        Ok(Look::NotYet(format!(
            "{whose} does not answer ({socket}: {error})"
        )))
    }

    /// Until something has happened to the unit, or the last job has ended.
    fn hear(&mut self, task: &Task) -> Result<(), Silence> {
        let end = self.idle.map(|since| since + GRACE);
        let Some(connection) = &mut self.connection else {
            return task.sleep(ABSENT).map_err(Silence::Stopped);
        };
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match connection.manager.next_signal(task, left)? {
                None => return Ok(()),
                Some(Signal::Changed { object, state }) if object == connection.object => {
                    self.told = state;
                    return Ok(());
                }
                Some(Signal::Changed { .. }) => {}
                Some(Signal::JobNew) => connection.jobs += 1,
                Some(Signal::JobRemoved) => {
                    connection.jobs -= 1;
                    if connection.jobs == 0 && self.state.is_none() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl Watch for UnitWatch {
    fn look(&mut self, task: &Task) -> Result<Look, Vain> {
        let silence = match self.state(task) {
            Ok(look) => return Ok(look),
            Err(silence) => silence,
        };
        match silence {
            Silence::Stopped(stopped) => Err(stopped.into()),
            Silence::Final(text) => Err(Vain::Never(Failure(text))),
            Silence::Refused(text) => {
                self.connection = None;
                Ok(Look::NotYet(text))
            }
            Silence::Lost(error) => {
                self.connection = None;
                self.absent(&error)
            }
        }
    }

    fn rest(&mut self, task: &Task) -> Result<(), Stopped> {
        match self.hear(task) {
            Err(Silence::Stopped(stopped)) => Err(stopped),
            Err(_) => {
                // The manager starts anew, or the guest goes down.
                self.connection = None;
                task.sleep(ABSENT)
            }
            Ok(()) => Ok(()),
        }
    }
}

/// The name of a unit as its manager knows it, of what `systemctl` takes for one.
fn full_name(unit: &str) -> String {
    if SUFFIXES.iter().any(|suffix| unit.ends_with(suffix)) {
        return unit.to_owned();
    }
    match unit.strip_prefix('/') {
        Some(path) if path.split('/').next() == Some("dev") => format!("{}.device", escaped(path)),
        Some(path) => format!("{}.mount", escaped(path)),
        None => format!("{unit}.service"),
    }
}

/// A path as a part of a unit's name: `systemd-escape --path`.
fn escaped(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return "-".to_owned();
    }
    let mut name = String::new();
    for byte in parts.join("/").bytes() {
        match byte {
            b'/' => name.push('-'),
            b'.' if name.is_empty() => name.push_str("\\x2e"),
            b':' | b'_' | b'.' => name.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => name.push(byte.into()),
            _ => name.push_str(&format!("\\x{byte:02x}")),
        }
    }
    name
}

/// The number of a user: from the guest's list, or from whatever else its `id` asks.
fn number_of(user: &str) -> Result<u32, Failure> {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    if let Some(number) = in_list(&list, user) {
        return Ok(number);
    }
    let mut command = tool("id");
    command.args(["-u", "--", user]);
    let answer = capture(command, HOME.as_ref(), FOR_USER).unwrap_or_default();
    let number = String::from_utf8_lossy(&answer).trim().parse().ok();
    number.ok_or_else(|| Failure(format!("the guest has no user \"{user}\"")))
}

fn in_list(list: &str, user: &str) -> Option<u32> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(user))
            .then(|| fields.nth(1)?.parse().ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests;

//! A conversation with a service manager of systemd: what units are in, and what happens to them.
//!
//! Every manager has a private socket beside its place on a bus. It is there before any bus is, needs no daemon, is open
//! to root, and whoever is connected to it hears all signals. So a connection lasts as long as somebody waits, and no
//! longer.

#[cfg(test)]
pub(super) mod fake;
mod wire;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::PollFlags;

use super::task::{Stopped, Task};
use wire::{Call, Content, Malformed, Message, Reader};

const MANAGER: &str = "/org/freedesktop/systemd1";
const MANAGER_INTERFACE: &str = "org.freedesktop.systemd1.Manager";
const UNIT_INTERFACE: &str = "org.freedesktop.systemd1.Unit";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";

/// What a manager says of a name that can be no unit's.
const INVALID: &str = "org.freedesktop.DBus.Error.InvalidArgs";

/// "0", the user id of root, in hexadecimal digits.
const AUTHENTICATION: &[u8] = b"\0AUTH EXTERNAL 30\r\nBEGIN\r\n";

/// How the other side's agreement begins.
const AGREED: &[u8] = b"OK ";

/// How long a manager may take for an answer: the usual limit of D-Bus. One that does not answer is asked anew.
const FOR_ANSWER: Duration = Duration::from_secs(25);

/// A connection to a service manager.
#[derive(Debug)]
pub(super) struct Manager {
    socket: UnixStream,
    input: Vec<u8>,
    serial: u32,
    /// Signals that came while an answer was waited for.
    heard: VecDeque<Signal>,
}

/// Something that has happened to a unit or a job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// A property of a unit has changed.
    Changed {
        /// Its object.
        object: String,
        /// The state that it is in now, if that has changed.
        state: Option<String>,
    },
    /// A job was queued.
    JobNew,
    /// A job has ended.
    JobRemoved,
}

/// Why a manager gives no answer.
#[derive(Debug)]
pub(super) enum Silence {
    /// Nobody may wait for it any longer.
    Stopped(Stopped),
    /// It is not there, or not any more.
    Lost(io::Error),
    /// There will never be another answer.
    Final(String),
    /// It refuses what it was asked now.
    Refused(String),
}

impl From<Malformed> for Silence {
    fn from(_: Malformed) -> Self {
        Self::Lost(io::ErrorKind::InvalidData.into())
    }
}

impl Manager {
    /// Connects to the socket of a manager.
    pub(super) fn connect(task: &Task, path: &str) -> Result<Self, Silence> {
        let connected = UnixStream::connect(path).and_then(|socket| {
            socket.set_nonblocking(true)?;
            Ok(socket)
        });
        let mut manager = Self {
            socket: connected.map_err(Silence::Lost)?,
            input: Vec::new(),
            serial: 0,
            heard: VecDeque::new(),
        };
        manager.write(AUTHENTICATION)?;
        manager.agree(task)?;
        Ok(manager)
    }

    /// Waits for the other side's word. A call that came before it would lie there until the next one.
    fn agree(&mut self, task: &Task) -> Result<(), Silence> {
        let end = loop {
            match self.input.iter().position(|byte| *byte == b'\n') {
                Some(end) => break end,
                None => self.await_more(task)?,
            }
        };
        let line: Vec<u8> = self.input.drain(..=end).collect();
        if line.starts_with(AGREED) {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let refused = format!("the service manager lets nobody in: {}", text.trim_end());
        Err(Silence::Lost(io::Error::other(refused)))
    }

    /// The object of a unit, which is loaded if need be.
    pub(super) fn load_unit(&mut self, task: &Task, unit: &str) -> Result<String, Silence> {
        let body = self.call(
            task,
            &Call {
                path: MANAGER,
                interface: MANAGER_INTERFACE,
                member: "LoadUnit",
                arguments: &[unit],
            },
        )?;
        Ok(Reader::new(&body).string()?.to_owned())
    }

    /// The state that a unit is in, such as `activating`.
    pub(super) fn active_state(&mut self, task: &Task, object: &str) -> Result<String, Silence> {
        let body = self.call(
            task,
            &Call {
                path: object,
                interface: PROPERTIES,
                member: "Get",
                arguments: &[UNIT_INTERFACE, "ActiveState"],
            },
        )?;
        // What was told before the answer came is older.
        for signal in &mut self.heard {
            if let Signal::Changed { state, .. } = signal {
                *state = None;
            }
        }
        let mut reader = Reader::new(&body);
        match reader.signature()? {
            "s" => Ok(reader.string()?.to_owned()),
            _ => Err(Malformed.into()),
        }
    }

    /// How many jobs wait or run. Signals of jobs that come later count from there.
    pub(super) fn jobs(&mut self, task: &Task) -> Result<i64, Silence> {
        let body = self.call(
            task,
            &Call {
                path: MANAGER,
                interface: MANAGER_INTERFACE,
                member: "ListJobs",
                arguments: &[],
            },
        )?;
        self.heard
            .retain(|signal| matches!(signal, Signal::Changed { .. }));
        // Of each: its number, unit, type and state, its object and the unit's. Even an array of none is followed by what
        // would have its first element in its place.
        let mut reader = Reader::new(&body);
        reader.number()?;
        reader.structure()?;
        let mut jobs = 0;
        while !reader.is_at_end() {
            reader.structure()?;
            reader.number()?;
            for _ in 0..5 {
                reader.string()?;
            }
            jobs += 1;
        }
        Ok(jobs)
    }

    /// The next signal; none when the time is over.
    pub(super) fn next_signal(
        &mut self,
        task: &Task,
        limit: Option<Duration>,
    ) -> Result<Option<Signal>, Silence> {
        loop {
            if let Some(signal) = self.heard.pop_front() {
                return Ok(Some(signal));
            }
            match self.next_content()? {
                Some(content) => self.hear(content),
                None => {
                    let fd = self.socket.as_fd();
                    if !task
                        .wait_for(fd, PollFlags::IN, limit)
                        .map_err(Silence::Stopped)?
                    {
                        return Ok(None);
                    }
                    self.read()?;
                }
            }
        }
    }

    fn call(&mut self, task: &Task, call: &Call<'_>) -> Result<Vec<u8>, Silence> {
        self.serial += 1;
        self.write(&call.encode(self.serial))?;
        loop {
            match self.next_content()? {
                Some(Content::Answer { to, body }) if to == self.serial => return Ok(body),
                Some(Content::Refusal { to, error, body }) if to == self.serial => {
                    let text = Reader::new(&body).string().unwrap_or(&error).to_owned();
                    return Err(match error.as_str() {
                        INVALID => Silence::Final(text),
                        _ => Silence::Refused(text),
                    });
                }
                Some(content) => self.hear(content),
                None => self.await_more(task)?,
            }
        }
    }

    /// Waits for what belongs to an answer.
    fn await_more(&mut self, task: &Task) -> Result<(), Silence> {
        let fd = self.socket.as_fd();
        let came = task.look_at(fd, PollFlags::IN, Some(FOR_ANSWER));
        if !came.map_err(Silence::Stopped)? {
            task.check().map_err(Silence::Stopped)?;
            return Err(Silence::Lost(io::ErrorKind::TimedOut.into()));
        }
        self.read()
    }

    fn hear(&mut self, content: Content) {
        if let Content::Signal { path, member, body } = content {
            // What is particular to a kind of unit is told apart from what all units have.
            let of_unit = || Reader::new(&body).string() == Ok(UNIT_INTERFACE);
            self.heard.extend(match member.as_str() {
                "PropertiesChanged" if of_unit() => Some(Signal::Changed {
                    object: path,
                    state: wire::text_property(&body, "ActiveState"),
                }),
                "JobNew" => Some(Signal::JobNew),
                "JobRemoved" => Some(Signal::JobRemoved),
                _ => None,
            });
        }
    }

    fn next_content(&mut self) -> Result<Option<Content>, Silence> {
        Ok(Message::take(&mut self.input)?.map(Message::into_content))
    }

    /// What is said here always fits into the socket.
    fn write(&self, bytes: &[u8]) -> Result<(), Silence> {
        io::Write::write_all(&mut &self.socket, bytes).map_err(Silence::Lost)
    }

    fn read(&mut self) -> Result<(), Silence> {
        let mut buffer = [0; 16 * 1024];
        match self.socket.read(&mut buffer) {
            Ok(0) => Err(Silence::Lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(length) => {
                self.input.extend_from_slice(&buffer[..length]);
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(Silence::Lost(error)),
        }
    }
}

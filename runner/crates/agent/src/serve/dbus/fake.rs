//! A service manager for tests: one unit, whose state and jobs the test sets.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tempfile::TempDir;

use super::wire::Message;
use super::wire::tests::{Value, answer, refusal, signal};
use super::{INVALID, MANAGER, UNIT_INTERFACE};

const OBJECT: &str = "/org/freedesktop/systemd1/unit/x";

pub(crate) struct Fake {
    folder: TempDir,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    unit: String,
    jobs: u32,
    looks: usize,
    connection: Option<UnixStream>,
}

impl Fake {
    pub(crate) fn new(unit: &str, jobs: u32) -> Self {
        let fake = Self {
            folder: tempfile::tempdir().expect("temporary folder"),
            shared: Arc::default(),
        };
        fake.shared.lock().unit = unit.to_owned();
        fake.shared.lock().jobs = jobs;
        let listener = UnixListener::bind(fake.socket()).expect("bound");
        let shared = Arc::clone(&fake.shared);
        // Ends with the test.
        thread::spawn(move || {
            for connection in listener.incoming() {
                shared.serve(connection.expect("a connection"));
            }
        });
        fake
    }

    pub(crate) fn socket(&self) -> String {
        let path = self.folder.path().join("private");
        path.to_str().expect("text").to_owned()
    }

    /// How often the unit was looked at.
    pub(crate) fn looks(&self) -> usize {
        self.shared.lock().looks
    }

    pub(crate) fn until_looked_at(&self, times: usize) {
        let shared = &self.shared;
        let enough = |state: &mut State| state.looks < times;
        let state = shared.changed.wait_while(shared.lock(), enough);
        drop(state.unwrap_or_else(PoisonError::into_inner));
    }

    /// Changes the unit and the number of jobs, and tells of the unit.
    pub(crate) fn change(&self, unit: &str, jobs: u32) {
        let mut state = self.shared.lock();
        unit.clone_into(&mut state.unit);
        state.jobs = jobs;
        state.say(&changed(OBJECT, "x.Service", "active"));
        state.say(&changed(OBJECT, UNIT_INTERFACE, unit));
    }

    /// Tells of what has nothing to do with the unit.
    pub(crate) fn others_change(&self) {
        let mut state = self.shared.lock();
        state.say(&changed("/other", UNIT_INTERFACE, "active"));
        for member in ["JobNew", "JobRemoved", "Reloading"] {
            state.say(&signal(MANAGER, member, &[]));
        }
    }

    pub(crate) fn end_job(&self) {
        let mut state = self.shared.lock();
        state.jobs -= 1;
        state.say(&signal(MANAGER, "JobRemoved", &[]));
    }

    pub(crate) fn start_anew(&self) {
        let connection = self.shared.lock().connection.take();
        let connection = connection.expect("somebody is connected");
        connection
            .shutdown(std::net::Shutdown::Both)
            .expect("shut down");
    }
}

/// A signal about a unit that is in this state now.
fn changed(object: &str, interface: &str, state: &str) -> Vec<u8> {
    let body = [
        Value::Text(interface),
        // The length of the array, which nobody looks at.
        Value::Number(0),
        Value::Structure,
        Value::Text("ActiveState"),
        Value::Signature("s"),
        Value::Text(state),
    ];
    signal(object, "PropertiesChanged", &body)
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a connection to its end. As the real one does, it takes no call that has come with the agreement.
    fn serve(&self, connection: UnixStream) {
        let mut input = BufReader::new(connection.try_clone().expect("a descriptor"));
        let mut line = String::new();
        while !line.ends_with("BEGIN\r\n") {
            if input.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
        }
        assert_eq!(line, "\0AUTH EXTERNAL 30\r\nBEGIN\r\n");
        assert!(input.buffer().is_empty(), "a call came too early");
        let mut output = connection.try_clone().expect("a descriptor");
        output
            .write_all(b"OK 0123456789abcdef\r\n")
            .expect("written");
        self.lock().connection = Some(connection);
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        while let Ok(length @ 1..) = input.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..length]);
            loop {
                let serial = bytes
                    .get(8..12)
                    .map(|serial| u32::from_le_bytes(serial.try_into().expect("four bytes")));
                let Some(call) = Message::take(&mut bytes).expect("well-formed") else {
                    break;
                };
                let mut state = self.lock();
                let reply = state.reply(serial.expect("a whole message"), &call);
                state.say(&reply);
                self.changed.notify_all();
            }
        }
    }
}

impl State {
    fn say(&mut self, message: &[u8]) {
        // Whoever asked may have gone.
        if let Some(connection) = &mut self.connection {
            let _ = connection.write_all(message);
        }
    }

    fn reply(&mut self, serial: u32, call: &Message) -> Vec<u8> {
        match call.member() {
            "LoadUnit" if call.mentions("no unit.service") => {
                refusal(serial, INVALID, "Unit name no unit.service is not valid.")
            }
            "LoadUnit" => answer(serial, &[Value::Text(OBJECT)]),
            "Get" => {
                self.looks += 1;
                answer(serial, &[Value::Signature("s"), Value::Text(&self.unit)])
            }
            "ListJobs" => {
                let mut jobs = Vec::new();
                for number in 0..self.jobs {
                    jobs.extend([Value::Structure, Value::Number(number)]);
                    jobs.extend(["x.service", "start", "waiting", "/job", OBJECT].map(Value::Text));
                }
                // The length in bytes, of which only none is looked at.
                let mut body = vec![Value::Number(self.jobs), Value::Structure];
                body.extend(jobs);
                answer(serial, &body)
            }
            other => panic!("no such method: {other}"),
        }
    }
}

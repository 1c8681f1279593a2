//! What the commands in a machine print, on its way to the log of the test.
//!
//! Lines become events as they come, no more of them than people can read; what is left out is counted. Output that
//! comes after the end of its command goes the same way.
//!
//! - [`cut`]: lines, long ones short;
//! - [`limit`]: how many of them.

mod cut;
mod limit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vmtest_protocol::{RequestId, Stream};
use vmtest_script::event::{Level, ScriptEvent};

use super::console::transcript::Transcript;
use crate::event::{Event, Events, Printed};
use cut::Line;
use limit::Limit;

/// Most commands whose late output is put together; a command beyond that ends the oldest one's last line.
const LATE_COMMANDS: usize = 64;

/// The output of one machine's commands.
#[derive(Debug)]
pub struct Output {
    machine: String,
    events: Events,
    /// What commands print to their standard error is shown on the console, too, as that of the NixOS test driver's
    /// root shell is: scripts look for it there.
    console: Arc<Transcript>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    late: BTreeMap<RequestId, Log>,
    /// Processes that were warned of.
    holders: BTreeSet<String>,
}

/// The output of one command.
#[derive(Debug)]
pub struct CommandLog {
    output: Arc<Output>,
    log: Log,
}

impl Output {
    /// For the machine of this name.
    #[must_use]
    pub fn new(machine: &str, events: Events, console: Arc<Transcript>) -> Self {
        Self {
            machine: machine.to_owned(),
            events,
            console,
            state: Mutex::default(),
        }
    }

    /// A log for the output of one command.
    #[must_use]
    pub fn command(self: &Arc<Self>) -> CommandLog {
        CommandLog {
            output: Arc::clone(self),
            log: Log::new(false),
        }
    }

    /// Takes in what came after the end of a command.
    pub fn late(&self, command: RequestId, stream: Stream, bytes: &[u8]) {
        let mut state = self.lock();
        let log = state.late.entry(command).or_insert_with(|| Log::new(true));
        log.push(stream, bytes, self);
        if state.late.len() > LATE_COMMANDS
            && let Some((_, mut oldest)) = state.late.pop_first()
        {
            oldest.finish(self);
        }
    }

    /// Warns of processes that hold the output of a command which has ended, of each of them once.
    pub fn held_by(&self, holders: &[String]) {
        let mut state = self.lock();
        let news: Vec<&str> = holders
            .iter()
            .filter(|holder| state.holders.insert((*holder).clone()))
            .map(String::as_str)
            .collect();
        drop(state);
        if news.is_empty() {
            return;
        }
        let text = format!(
            "a command has ended, and its output is still held by {}: the call returns without what those will print; with \
             wait_for_output=True it waits for them",
            news.join(", ")
        );
        self.events.emit(Event::Script(ScriptEvent::Message {
            level: Level::Warning,
            machine: Some(self.machine.clone()),
            text,
        }));
    }

    /// The guest has ended or started anew, and all of its processes are gone.
    pub fn restarted(&self) {
        let State { late, .. } = std::mem::take(&mut *self.lock());
        for mut log in late.into_values() {
            log.finish(self);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CommandLog {
    /// Takes in a part of the output.
    pub fn push(&mut self, stream: Stream, bytes: &[u8]) {
        self.log.push(stream, bytes, &self.output);
    }
}

/// Whatever became of the command, what it printed is told.
impl Drop for CommandLog {
    fn drop(&mut self) {
        self.log.finish(&self.output);
    }
}

#[derive(Debug)]
struct Log {
    stdout: Line,
    stderr: Line,
    limit: Limit,
    left_out: u64,
    late: bool,
}

impl Log {
    fn new(late: bool) -> Self {
        Self {
            stdout: Line::default(),
            stderr: Line::default(),
            limit: Limit::new(),
            left_out: 0,
            late,
        }
    }

    fn push(&mut self, stream: Stream, bytes: &[u8], output: &Output) {
        let mut line = std::mem::take(self.line(stream));
        line.push(bytes, |line| self.show(stream, line, output));
        *self.line(stream) = line;
    }

    fn finish(&mut self, output: &Output) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            let line = std::mem::take(self.line(stream));
            if !line.is_empty() {
                self.show(stream, &line, output);
            }
        }
        self.show_left_out(output);
    }

    fn line(&mut self, stream: Stream) -> &mut Line {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }

    fn show(&mut self, stream: Stream, line: &Line, output: &Output) {
        if !self.limit.pass() {
            self.left_out += 1;
            return;
        }
        self.show_left_out(output);
        let text = line.text();
        if stream == Stream::Stderr {
            output.console.push_line(&text);
        }
        self.emit(Printed::Line { stream, text }, output);
    }

    fn show_left_out(&mut self, output: &Output) {
        match std::mem::take(&mut self.left_out) {
            0 => {}
            lines => self.emit(Printed::LeftOut { lines }, output),
        }
    }

    fn emit(&self, printed: Printed, output: &Output) {
        output.events.emit(Event::Output {
            machine: output.machine.clone(),
            late: self.late,
            printed,
        });
    }
}

#[cfg(test)]
mod tests;

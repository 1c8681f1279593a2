//! The serial console: what it has shown, waiting for a text on it, and typing on it.

use std::time::Duration;

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::console_match::{Pattern, end_of_line};
use super::link::Link;
use super::messages::say;
use super::{backend_of, callbacks, link_of, name, regex, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::backend::{ConsoleText, MachineError, MachineErrorKind};
use crate::retry::timed_out;
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "wait_for_console_text",
        params: &[
            Param::required("regex", "str | Pattern[str]"),
            Param::optional("timeout", "Duration | None", Literal::None),
        ],
        returns: "None",
        doc: "Waits until a regular expression matches what the serial console has shown since the machine's start or the \
              last such wait: that one took all lines up to the end of its match. A match may span lines, and one that a \
              kernel message has split is found, too. Text of more than half a megabyte may lose its beginning.",
        call: wait_for_console_text,
    },
    Function {
        name: "get_console_log",
        params: &[],
        returns: "str",
        doc: "Returns what the serial console has shown since the machine's last start.",
        call: |machine, _arguments, vm| Ok(vm.ctx.new_str(log(machine, vm)?).into()),
    },
    Function {
        name: "send_console",
        params: &[Param::required("chars", "str")],
        returns: "None",
        doc: "Types a text on the serial console. Fails when the machine does not run.",
        call: |machine, arguments, vm| {
            let chars = arguments.text("chars", vm)?;
            let this = this(machine, vm)?;
            let backend = backend_of(machine, vm)?;
            this.session
                .call(vm, || backend.send_console(chars.as_bytes()))?;
            Ok(vm.ctx.none())
        },
    },
];

/// What scripts have seen of a console, as positions in its text.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    /// Where the text of this run begins.
    run: u64,
    /// Up to where waits have taken it.
    taken: u64,
}

impl Seen {
    /// Takes all up to a position; another thread may have taken more.
    fn take(&mut self, end: u64) {
        self.taken = self.taken.max(end);
    }

    /// Takes all from one position to another, unless somebody has taken of it meanwhile.
    fn take_from(&mut self, begin: u64, end: u64) -> bool {
        let free = self.taken == begin;
        if free {
            self.take(end);
        }
        free
    }
}

/// The most of one text that is searched again and again, in bytes; of a longer one the beginning is forgotten.
const SEARCHED: usize = 1 << 20;

/// The part of the time that searching may take: one of so many.
const SHARE: u32 = 5;

/// How many lines of the console the error of a wait shows.
const SHOWN_LINES: usize = 5;

/// Before a machine starts: what its console shows from here on is of the new run.
pub(super) fn begin_run(link: &Link) {
    let taken = link.state().console.taken;
    // A console that cannot be read now is empty.
    if let Ok(console) = link.backend.console_text(taken, Some(Duration::ZERO)) {
        link.state().console = Seen {
            run: console.end,
            taken: console.end,
        };
    }
    let lines = link.state().last_lines.take();
    // Not while the state is locked: it is an object of Python.
    drop(lines);
}

/// What the console has shown in this run.
pub(super) fn log(machine: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
    let run = link_of(machine, vm)?.state().console.run;
    let mut text = read(machine, run, Some(Duration::ZERO), vm)?.text;
    text.truncate(text.trim_end_matches('\n').len());
    Ok(text)
}

/// The lines that it has shown and nobody has taken.
pub(super) fn pending(machine: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<String>> {
    let taken = link_of(machine, vm)?.state().console.taken;
    let ConsoleText { text, running, .. } = read(machine, taken, Some(Duration::ZERO), vm)?;
    let lines = text.split_inclusive('\n');
    let lines = lines.filter(|line| is_whole(line, running));
    Ok(lines.map(|line| line.trim_end().to_owned()).collect())
}

/// Takes the first of them, waiting for one if need be; none when the time is over or none can come any more.
pub(super) fn take_line(
    machine: &PyObject,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyResult<Option<String>> {
    let link = link_of(machine, vm)?;
    let driver = this(machine, vm)?.session.driver();
    let started = driver.now();
    let taken = || link.state().console.taken;
    let mut begin = taken();
    let mut text = String::new();
    let mut position = begin;
    loop {
        let elapsed = driver.now().saturating_duration_since(started);
        let new = read(machine, position, timeout.after(elapsed).limit, vm)?;
        position = new.end;
        text.push_str(&new.text);
        let line = text.split_inclusive('\n').next().unwrap_or_default();
        if is_whole(line, new.running) {
            let end = new.end - (text.len() - line.len()) as u64;
            if link.state().console.take_from(begin, end) {
                return Ok(Some(line.trim_end().to_owned()));
            }
            begin = taken();
            position = begin;
            text.clear();
        } else if new.text.is_empty() {
            return Ok(None);
        }
    }
}

/// Whether nothing can come any more behind the last line of a text that has been shown.
fn is_whole(line: &str, running: bool) -> bool {
    line.ends_with('\n') || !(running || line.is_empty())
}

fn read(
    machine: &PyObject,
    position: u64,
    timeout: Option<Duration>,
    vm: &VirtualMachine,
) -> PyResult<ConsoleText> {
    let this = this(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    this.session
        .call(vm, || backend.console_text(position, timeout))
}

fn wait_for_console_text(
    machine: &PyObject,
    arguments: &Arguments,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(machine, vm)?.session;
    let link = link_of(machine, vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let shown = regex::shown(arguments.get("regex"), vm)?;
    let pattern = Pattern::new(arguments.get("regex"), vm)?;
    let message = format!("waiting for {shown} to appear on console");
    step(machine, &message, vm, || {
        let now = || session.driver().now();
        let started = now();
        let over = |text: &str| {
            let elapsed = now().saturating_duration_since(started);
            let seen = format!("console shows{}", last_lines(text));
            timed_out(session, &message, &timeout, elapsed, &seen, vm)
        };
        // Text from here on, as far as it has been read.
        let mut begin = link.state().console.taken;
        let mut text = String::new();
        loop {
            callbacks::run(machine, vm)?;
            let elapsed = now().saturating_duration_since(started);
            let left = timeout.limit.map(|limit| limit.saturating_sub(elapsed));
            let slice = callbacks::slice(machine, left, vm)?;
            let position = begin + text.len() as u64;
            let new = read(machine, position, slice, vm)?;
            if !new.text.is_empty() {
                let new_begin = new.end - new.text.len() as u64;
                if new_begin > position {
                    // What lay between is kept no longer.
                    text.clear();
                    begin = new_begin;
                }
                text.push_str(&new.text);
                let before = now();
                if let Some(end) = pattern.find(&text, vm)? {
                    let taken = end_of_line(&text, end);
                    link.state().console.take(begin + taken as u64);
                    if !text[..taken].ends_with('\n') {
                        // The log shows whole lines; this one may never end.
                        let line = text[..taken].rsplit('\n').next().unwrap_or_default();
                        say(machine, format!("(console shows: {line})"), vm)?;
                    }
                    return Ok(vm.ctx.none());
                }
                if left == Some(Duration::ZERO) {
                    // A console that is never silent must not keep the wait from its end.
                    return Err(over(&text));
                }
                if text.len() > SEARCHED {
                    let forgotten = text.ceil_char_boundary(text.len() - SEARCHED / 2);
                    text.drain(..forgotten);
                    begin += forgotten as u64;
                }
                let rest = now().saturating_duration_since(before) * (SHARE - 1);
                if !rest.is_zero() {
                    session.sleep(left.map_or(rest, |left| left.min(rest)), vm)?;
                }
            } else if !new.running {
                let lines = last_lines(&text);
                let reason = format!(
                    "the machine does not run, and its console has not shown {shown}, but{lines}"
                );
                let error = MachineError {
                    machine: name(machine, vm)?,
                    kind: MachineErrorKind::Broken { reason },
                };
                return Err(session.exceptions.machine_failed(&error, vm));
            } else if slice == left {
                return Err(over(&text));
            }
        }
    })
}

/// The end of a text, for messages.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let first = lines.len().saturating_sub(SHOWN_LINES);
    if lines.is_empty() {
        return " nothing new".to_owned();
    }
    let lines: Vec<String> = lines[first..]
        .iter()
        .map(|line| format!("\n  {line}"))
        .collect();
    format!(":{}", lines.concat())
}

//! `sys.stdout` and `sys.stderr` of the script: each whole line becomes an event, in order with all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use rustpython_vm::builtins::PyStrRef;
use rustpython_vm::{Py, PyPayload, PyRef, PyResult, VirtualMachine, pyclass};

use crate::event::{ScriptEvent, Stream};
use crate::session::Session;

/// A text stream. Lines that two threads write at the same time stay whole.
#[pyclass(module = "io", name = "ScriptOutput")]
#[derive(Debug, PyPayload)]
pub(crate) struct Output {
    session: Arc<Session>,
    stream: Stream,
    begun: Mutex<HashMap<ThreadId, String>>,
}

impl Output {
    pub(crate) fn new(session: &Arc<Session>, stream: Stream, vm: &VirtualMachine) -> PyRef<Self> {
        Self {
            session: Arc::clone(session),
            stream,
            begun: Mutex::default(),
        }
        .into_ref(&vm.ctx)
    }

    /// Gives out the lines that were begun and never ended.
    pub(crate) fn finish(&self) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, text) in begun.drain() {
            self.give_out(text);
        }
    }

    fn give_out(&self, text: String) {
        self.session.event(ScriptEvent::Print {
            stream: self.stream,
            text,
        });
    }
}

#[pyclass]
impl Output {
    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn write(&self, text: PyStrRef) -> usize {
        let length = text.char_len();
        let text = text.to_string_lossy();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let line = begun.entry(thread::current().id()).or_default();
        line.push_str(&text);
        let Some(end) = line.rfind('\n') else {
            return length;
        };
        let rest = line.split_off(end + 1);
        let whole = std::mem::replace(line, rest);
        if line.is_empty() {
            begun.remove(&thread::current().id());
        }
        // Still locked: another thread's line must not come between these.
        for line in whole.lines() {
            self.give_out(line.to_owned());
        }
        length
    }

    /// Lines are given out as they end, so nothing is left to do.
    #[pymethod]
    fn flush(&self) {}

    #[pymethod]
    fn isatty(&self) -> bool {
        false
    }

    #[pymethod]
    fn writable(&self) -> bool {
        true
    }

    #[pymethod]
    fn readable(&self) -> bool {
        false
    }

    #[pymethod]
    fn seekable(&self) -> bool {
        false
    }

    /// The file descriptor that a child process may write to in this stream's place.
    #[pymethod]
    fn fileno(&self) -> i32 {
        match self.stream {
            Stream::Stdout => 1,
            Stream::Stderr => 2,
        }
    }

    #[pymethod]
    fn writelines(zelf: &Py<Self>, lines: Vec<PyStrRef>) -> PyResult<()> {
        for line in lines {
            zelf.write(line);
        }
        Ok(())
    }

    #[pygetset]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }

    #[pygetset]
    fn errors(&self) -> &'static str {
        "replace"
    }

    #[pygetset]
    fn closed(&self) -> bool {
        false
    }
}

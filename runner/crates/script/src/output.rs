//! `sys.stdout` and `sys.stderr` of the script: each whole line becomes an event, in order with all others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, ThreadId};

use rustpython_vm::builtins::PyStrRef;
use rustpython_vm::function::{ArgBytesLike, FuncArgs};
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
    /// The beginning of a character of which only some bytes were written.
    cut: Mutex<Vec<u8>>,
}

impl Output {
    pub(crate) fn new(session: &Arc<Session>, stream: Stream, vm: &VirtualMachine) -> PyRef<Self> {
        Self {
            session: Arc::clone(session),
            stream,
            begun: Mutex::default(),
            cut: Mutex::default(),
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

    fn write_text(&self, text: &str) {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let line = begun.entry(thread::current().id()).or_default();
        line.push_str(text);
        let Some(end) = line.rfind('\n') else {
            return;
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
    }

    /// Writes text in UTF-8; what is not is replaced.
    fn write_bytes(&self, bytes: &[u8]) {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        cut.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&cut) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => cut.len(),
        };
        let rest = cut.split_off(whole);
        let text = std::mem::replace(&mut *cut, rest);
        drop(cut);
        self.write_text(&String::from_utf8_lossy(&text));
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
        self.write_text(&text.to_string_lossy());
        text.char_len()
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

    /// Scripts ask for buffering by lines, which there is.
    #[pymethod]
    fn reconfigure(&self, _how: FuncArgs) {}

    /// The stream for bytes.
    #[pygetset]
    fn buffer(zelf: PyRef<Self>, vm: &VirtualMachine) -> PyRef<Bytes> {
        Bytes { text: zelf }.into_ref(&vm.ctx)
    }

    #[pygetset]
    fn line_buffering(&self) -> bool {
        true
    }

    #[pygetset]
    fn mode(&self) -> &'static str {
        "w"
    }

    #[pygetset]
    fn name(&self) -> &'static str {
        match self.stream {
            Stream::Stdout => "<stdout>",
            Stream::Stderr => "<stderr>",
        }
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

/// The same stream, for bytes: `sys.stdout.buffer`.
#[pyclass(module = "io", name = "ScriptOutputBytes")]
#[derive(Debug, PyPayload)]
pub(crate) struct Bytes {
    text: PyRef<Output>,
}

#[pyclass]
impl Bytes {
    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn write(&self, bytes: ArgBytesLike) -> usize {
        bytes.with_ref(|bytes| self.text.write_bytes(bytes));
        bytes.len()
    }

    #[pymethod]
    fn flush(&self) {}

    #[pymethod]
    fn writable(&self) -> bool {
        true
    }

    #[pymethod]
    fn fileno(&self) -> i32 {
        self.text.fileno()
    }

    #[pygetset]
    fn raw(zelf: PyRef<Self>) -> PyRef<Self> {
        zelf
    }
}

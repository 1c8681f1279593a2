//! Calling several functions at once, each on a thread of its own.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use crate::errors::add_note;
use crate::session::Session;
use crate::traceback;

/// How often a waiting thread looks whether it is to be interrupted.
const INTERRUPTIBLE: Duration = Duration::from_millis(100);

/// Calls all of them at once, waits for all, and returns their results in order.
///
/// # Errors
/// The first failure in time, with the others as notes.
pub(crate) fn call(
    session: &Arc<Session>,
    functions: Vec<PyObjectRef>,
    vm: &VirtualMachine,
) -> PyResult<Vec<PyObjectRef>> {
    if let [only] = functions.as_slice() {
        return Ok(vec![only.call((), vm)?]);
    }
    let count = functions.len();
    let (done, results) = channel();
    for (index, function) in functions.into_iter().enumerate() {
        start(session, index, function, done.clone(), vm)?;
    }
    drop(done);
    collect(session, count, &results, vm)
}

type Outcome = (usize, PyResult);

fn start(
    session: &Arc<Session>,
    index: usize,
    function: PyObjectRef,
    done: Sender<Outcome>,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let parent = session.innermost_step();
    let session = Arc::clone(session);
    // Senders are not for several threads at once, and the interpreter cannot know that this is called once only.
    let done = std::sync::Mutex::new(done);
    let body = move |vm: &VirtualMachine| {
        let result = session.inside(parent, || function.call((), vm));
        let done = done
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Nobody listens any more when the caller was interrupted.
        let _ = done.send((index, result));
    };
    let body = vm.new_function("parallel", body);
    // Not a thread of our own: the interpreter tidies up after its own ones.
    let thread = vm.import("_thread", 0)?;
    vm.call_method(
        &thread,
        "start_new_thread",
        (body, vm.ctx.empty_tuple.clone()),
    )?;
    Ok(())
}

fn collect(
    session: &Session,
    count: usize,
    outcomes: &Receiver<Outcome>,
    vm: &VirtualMachine,
) -> PyResult<Vec<PyObjectRef>> {
    let mut results = vec![vm.ctx.none(); count];
    let mut failures: Vec<PyBaseExceptionRef> = Vec::new();
    for _ in 0..count {
        let (index, result) = next(outcomes, vm)?;
        match result {
            Ok(value) => results[index] = value,
            Err(failure) => failures.push(failure),
        }
    }
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else {
        return Ok(results);
    };
    for other in failures {
        let shown = traceback::brief(&other, session, vm);
        add_note(&first, format!("failed at the same time:\n{shown}"), vm)?;
    }
    Err(first)
}

fn next(outcomes: &Receiver<Outcome>, vm: &VirtualMachine) -> PyResult<Outcome> {
    loop {
        match vm.allow_threads(|| outcomes.recv_timeout(INTERRUPTIBLE)) {
            Ok(outcome) => return Ok(outcome),
            Err(RecvTimeoutError::Timeout) => vm.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(vm.new_runtime_error("a thread ended without a result"));
            }
        }
    }
}

//! Pictures of the screen, and the text in them.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::messages::say;
use super::{Machine, attributes, backend_of, callbacks, is_own, regex, step, this};
use crate::api::{Function, Param};
use crate::arguments::{Arguments, text};
use crate::backend::{MachineError, MachineErrorKind};
use crate::retry::{self, Try};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "screenshot",
        params: &[Param::required("filename", "str")],
        returns: "None",
        doc: "Takes a picture of the screen as PNG. A name without a dot gets `.png`; one without a slash lies in the test's \
              output.",
        call: screenshot,
    },
    Function {
        name: "get_screen_text",
        params: &[],
        returns: "str",
        doc: "Returns the text on the screen, read by character recognition (OCR). Fails unless the test has that enabled.",
        call: |machine, _arguments, vm| {
            let mut text = String::new();
            let read = read(machine, false, vm, |found| {
                text = found;
                Ok(true)
            })?;
            check(machine, read, vm)?;
            Ok(vm.ctx.new_str(text).into())
        },
    },
    Function {
        name: VARIANTS,
        params: &[],
        returns: "list[str]",
        doc: "Returns the text on the screen as read from several renderings of one picture, some of which suit OCR better: \
              as scattered words, as lines, with its colours inverted, and as it is.",
        call: |machine, _arguments, vm| {
            let mut texts: Vec<PyObjectRef> = Vec::new();
            let read = read(machine, true, vm, |found| {
                texts.push(vm.ctx.new_str(found).into());
                Ok(false)
            })?;
            check(machine, read, vm)?;
            Ok(vm.ctx.new_list(texts).into())
        },
    },
    Function {
        name: "wait_for_text",
        params: &[
            Param::required("regex", "str | Pattern[str]"),
            Param::timeout(),
        ],
        returns: "None",
        doc: "Waits until a regular expression matches the text on the screen, read by OCR in any of the renderings of \
              get_screen_text_variants(); the first one that matches ends it.",
        call: wait_for_text,
    },
];

const VARIANTS: &str = "get_screen_text_variants";

fn screenshot(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let mut filename = arguments.text("filename", vm)?;
    if !filename.contains('.') {
        filename.push_str(".png");
    }
    let path = if filename.contains('/') {
        PathBuf::from(&filename)
    } else {
        attributes::out_dir(machine, vm)?.join(&filename)
    };
    let shown = path.display();
    // QEMU may run in another directory.
    let path = std::path::absolute(&path)
        .map_err(|error| vm.new_os_error(format!("cannot write '{shown}': {error}")))?;
    let backend = backend_of(machine, vm)?;
    step(machine, &format!("making screenshot {shown}"), vm, || {
        this.session.call(vm, || backend.screenshot(&path))
    })?;
    Ok(vm.ctx.none())
}

fn wait_for_text(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let shown = regex::shown(arguments.get("regex"), vm)?;
    let pattern = regex::compiled(arguments.get("regex"), vm)?;
    let timeout = arguments.timeout("timeout", vm)?;
    let message = format!("waiting for {shown} to appear on screen");
    step(machine, &message, vm, || {
        let started = session.driver().now();
        retry::until(session, &message, &timeout, vm, |last| {
            callbacks::run(machine, vm)?;
            let mut texts = Vec::new();
            let mut matched = false;
            let mut seen = |found: String| {
                let text: PyObjectRef = vm.ctx.new_str(found.as_str()).into();
                matched = regex::matches(&pattern, &text, vm)?;
                texts.push(found);
                // One budget for all renderings: only the last try reads them all whatever the time.
                let elapsed = session.driver().now().saturating_duration_since(started);
                let over = timeout.limit.is_some_and(|limit| elapsed >= limit);
                Ok(matched || (over && !last))
            };
            if is_own(machine, vm.ctx.intern_str(VARIANTS), vm) {
                match read(machine, true, vm, seen)? {
                    // One picture that takes too long does not end the wait.
                    Err(MachineError {
                        kind: kind @ MachineErrorKind::TimedOut { .. },
                        ..
                    }) if !matched && !last => return Ok(Try::NotYet(kind.to_string())),
                    read => check(machine, read, vm)?,
                }
            } else {
                let variants = vm.call_method(machine, VARIANTS, ())?;
                let variants: Vec<PyObjectRef> = variants.try_into_value(vm)?;
                for variant in variants {
                    if seen(text(&variant, vm)?)? {
                        break;
                    }
                }
            }
            if matched {
                return Ok(Try::Done(()));
            }
            if last {
                say(
                    machine,
                    format!("Last OCR attempt failed. Text was: {texts:?}"),
                    vm,
                )?;
            }
            let best = texts.first().map_or("", |text| text.trim());
            Ok(Try::NotYet(format!("text on the screen: {best:?}")))
        })
    })?;
    Ok(vm.ctx.none())
}

/// Raises what the backend says of a reading that failed.
fn check(machine: &PyObject, read: Result<(), MachineError>, vm: &VirtualMachine) -> PyResult<()> {
    let exceptions = &this(machine, vm)?.session.exceptions;
    read.map_err(|error| exceptions.machine_failed(&error, vm))
}

/// Reads the screen, and hands the text of each rendering to `seen` until that returns true. What the backend says of it
/// is in the inner result.
///
/// The backend works on a thread of its own: `seen` may run Python code, which the backend's thread must not.
fn read(
    machine: &PyObject,
    variants: bool,
    vm: &VirtualMachine,
    mut seen: impl FnMut(String) -> PyResult<bool>,
) -> PyResult<Result<(), MachineError>> {
    let this: &Machine = this(machine, vm)?;
    let session = &this.session;
    let backend = backend_of(machine, vm)?;
    session.check_running(vm)?;
    thread::scope(|scope| {
        let (texts, received) = mpsc::channel();
        let (answers, answered) = mpsc::channel();
        let reader = scope.spawn(move || {
            backend.read_screen(variants, &mut |text| {
                // Nobody listens any more when `seen` has raised an exception.
                texts.send(text).is_err() || answered.recv().unwrap_or(true)
            })
        });
        while let Ok(text) = vm.allow_threads(|| received.recv()) {
            // The reader may have ended meanwhile.
            let _ = answers.send(seen(text)?);
        }
        match vm.allow_threads(|| reader.join()) {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

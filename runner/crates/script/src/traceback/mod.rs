//! What people read when a script has failed: the frames of the script with their source lines, and the message.

mod frames;
mod message;

use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef};
use rustpython_vm::{AsObject, Py, VirtualMachine};

use crate::arguments::text;
use crate::engine::Script;
use crate::errors::Exceptions;
use crate::failure::{Failure, FailureKind};
use crate::session::Session;
use crate::steps;
use frames::{characters, line_of};
use message::{class_name, message};

pub(crate) use message::exit_code;

/// Describes the exception that ended a script.
pub(crate) fn failure(
    exception: &PyBaseExceptionRef,
    script: &Script,
    exceptions: Option<&Exceptions>,
    vm: &VirtualMachine,
) -> Failure {
    let kind = exceptions.map_or(FailureKind::Script, |known| kind(exception, known, vm));
    if let Some(failure) = syntax_error(exception, script, kind, vm) {
        return failure;
    }
    let frames = frames::of(exception, script, vm);
    let last = frames.iter().rfind(|frame| frame.is_of_script);
    let line = last.map(|frame| frame.line);
    let column = last.map(|frame| frame.column);
    let mut parts = Vec::new();
    earlier(exception, script, &mut parts, vm);
    if !frames.is_empty() {
        parts.push(frames::render(&frames));
    }
    Failure {
        kind,
        traceback: parts.join("\n"),
        message: message(exception, vm),
        script: script.name.as_str().into(),
        line,
        column,
        step: steps::left_by(exception, vm),
    }
}

/// Describes an exception of the script that this session runs.
pub(crate) fn in_session(
    exception: &PyBaseExceptionRef,
    session: &Session,
    vm: &VirtualMachine,
) -> Failure {
    failure(exception, session.script(), Some(&session.exceptions), vm)
}

/// The frames of the script that lead to an exception, and its message: a note for another one.
pub(crate) fn brief(
    exception: &Py<PyBaseException>,
    session: &Session,
    vm: &VirtualMachine,
) -> String {
    let script = session.script();
    let frames = frames::of(exception, script, vm);
    let mut parts = Vec::new();
    if !frames.is_empty() {
        parts.push(frames::render(&frames));
    }
    parts.push(message(exception, vm));
    parts.join("\n")
}

fn kind(
    exception: &PyBaseExceptionRef,
    exceptions: &Exceptions,
    vm: &VirtualMachine,
) -> FailureKind {
    let builtin = &vm.ctx.exceptions;
    let is = |class: &Py<rustpython_vm::builtins::PyType>| exception.fast_isinstance(class);
    if is(&exceptions.aborted) {
        FailureKind::Aborted
    } else if is(&exceptions.machine) {
        FailureKind::Machine
    } else if is(&exceptions.test_script_error)
        || is(builtin.assertion_error)
        || is(builtin.system_exit)
    {
        FailureKind::Assertion
    } else {
        FailureKind::Script
    }
}

/// The exceptions that came before this one, as Python tells of them.
fn earlier(
    exception: &Py<PyBaseException>,
    script: &Script,
    parts: &mut Vec<String>,
    vm: &VirtualMachine,
) {
    let (before, link) = match (exception.__cause__(), exception.__context__()) {
        (Some(cause), _) => (
            cause,
            "The above exception was the direct cause of the following exception:",
        ),
        (None, Some(context)) if !suppresses_context(exception, vm) => (
            context,
            "During handling of the above exception, another exception occurred:",
        ),
        _ => return,
    };
    earlier(&before, script, parts, vm);
    let frames = frames::of(&before, script, vm);
    if !frames.is_empty() {
        parts.push(frames::render(&frames));
    }
    parts.push(message(&before, vm));
    parts.push(format!("\n{link}\n"));
}

/// Whether the exception was raised `from` something, so that what was being handled does not matter.
fn suppresses_context(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> bool {
    let suppresses = exception.as_object().get_attr("__suppress_context__", vm);
    suppresses
        .and_then(|value| value.try_to_bool(vm))
        .unwrap_or(false)
}

/// The failure for a script that cannot be parsed.
fn syntax_error(
    exception: &PyBaseExceptionRef,
    script: &Script,
    kind: FailureKind,
    vm: &VirtualMachine,
) -> Option<Failure> {
    if !exception.fast_isinstance(vm.ctx.exceptions.syntax_error) {
        return None;
    }
    let attribute = |name: &'static str| exception.as_object().get_attr(name, vm).ok();
    let number = |name| attribute(name).and_then(|value| value.try_into_value::<usize>(vm).ok());
    let file = attribute("filename").and_then(|name| text(&name, vm).ok());
    if file.as_deref() != Some(&script.name) {
        return None;
    }
    let line = number("lineno")?;
    let source = line_of(&script.text, line);
    let column = number("offset").map(|column| characters(source, column));
    let mut lines = vec![format!("  File \"{}\", line {line}", script.name)];
    if !source.trim().is_empty() {
        lines.push(format!("    {}", source.trim()));
        let indentation = source.chars().take_while(|c| c.is_whitespace()).count();
        if let Some(before) = column.and_then(|column| (column - 1).checked_sub(indentation)) {
            lines.push(format!("    {}^", " ".repeat(before)));
        }
    }
    let described = attribute("msg").and_then(|message| text(&message, vm).ok());
    let message = format!(
        "{}: {}",
        class_name(exception, vm),
        described.unwrap_or_default()
    );
    Some(Failure {
        kind,
        traceback: lines.join("\n"),
        message,
        script: script.name.as_str().into(),
        line: Some(line),
        column,
        step: steps::left_by(exception, vm),
    })
}

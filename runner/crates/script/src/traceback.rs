//! What people read when a script has failed: the frames of the script with their source lines, and the message.

use rustpython_vm::builtins::{PyBaseException, PyBaseExceptionRef, PyTraceback};
use rustpython_vm::suggestion::offer_suggestions;
use rustpython_vm::{AsObject, Py, PyRef, VirtualMachine};

use crate::arguments::text;
use crate::asserts;
use crate::engine::Script;
use crate::errors::Exceptions;
use crate::failure::{Failure, FailureKind};
use crate::session::Session;

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
    let frames = frames(exception, script, vm);
    let last = frames.last();
    let line = last.map(|frame| frame.line);
    let column = last.map(|frame| frame.columns(script).0);
    let mut parts = Vec::new();
    earlier(exception, script, &mut parts, vm);
    if !frames.is_empty() {
        parts.push(render_frames(&frames, script));
    }
    Failure {
        kind,
        traceback: parts.join("\n"),
        message: message(exception, vm),
        line,
        column,
    }
}

/// The frames of the script that lead to an exception, and its message: a note for another one.
pub(crate) fn brief(
    exception: &Py<PyBaseException>,
    session: &Session,
    vm: &VirtualMachine,
) -> String {
    let script = session.script();
    let frames = frames(exception, script, vm);
    let mut parts = Vec::new();
    if !frames.is_empty() {
        parts.push(render_frames(&frames, script));
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

/// How often one place is shown in a row before the rest is only counted.
const SHOWN_REPETITIONS: usize = 3;

/// A place in the script.
struct Frame {
    function: String,
    line: usize,
    /// First and one past the last column, in bytes counted from 1, where the whole range lies on the line.
    range: Option<(usize, usize)>,
    start: usize,
}

impl Frame {
    fn new(traceback: &PyTraceback) -> Self {
        let code = &traceback.frame.code.code;
        // The interpreter counts instructions in units of two bytes.
        let location = code.locations.get(traceback.lasti as usize / 2);
        let line = traceback.lineno.get();
        let location = location.filter(|(start, _)| start.line.get() == line);
        let range = location
            .filter(|(start, end)| start.line == end.line)
            .map(|(start, end)| (start.character_offset.get(), end.character_offset.get()));
        let start = location.map_or(1, |(start, _)| start.character_offset.get());
        Self {
            function: code.obj_name.to_string(),
            line,
            range,
            start,
        }
    }

    /// The interpreter says that an assertion failed where it ends, or inside its message: points at what it asserts.
    fn point_at_assert(&mut self, script: &Script) {
        let lines = script.text.split_inclusive('\n').take(self.line - 1);
        let line_starts = lines.map(str::len).sum::<usize>();
        let Some(found) = asserts::enclosing(&script.text, line_starts + self.start - 1) else {
            return;
        };
        let (line, start) = place(&script.text, found.statement);
        let (test_line, test_start) = place(&script.text, found.test.start);
        let (test_end_line, test_end) = place(&script.text, found.test.end);
        (self.line, self.start) = (line, start);
        self.range = (test_line == line && test_end_line == line).then_some((test_start, test_end));
        if let Some((test_start, _)) = self.range {
            self.start = test_start;
        }
    }

    /// The columns of the range in characters counted from 1; the end is none where the range spans lines.
    fn columns(&self, script: &Script) -> (usize, Option<usize>) {
        let source = line_of(script, self.line);
        (
            characters(source, self.start),
            self.range.map(|(_, end)| characters(source, end)),
        )
    }
}

/// Line and column of an offset, the column in bytes; both counted from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before.len() - line_start + 1,
    )
}

/// A column in characters from one in bytes, both counted from 1.
fn characters(line: &str, byte: usize) -> usize {
    line.char_indices()
        .take_while(|(index, _)| index + 1 < byte)
        .count()
        + 1
}

/// The frames of the script, outermost first. A block that passes an exception on adds its frame again: only the
/// place where the exception came from counts.
fn frames(exception: &Py<PyBaseException>, script: &Script, vm: &VirtualMachine) -> Vec<Frame> {
    let Some(first) = exception.__traceback__() else {
        return Vec::new();
    };
    let entries: Vec<PyRef<PyTraceback>> = first.iter().collect();
    let mut frames = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let again = entries
            .get(index + 1)
            .is_some_and(|next| next.frame.is(&entry.frame));
        let of_script = entry.frame.code.source_path().as_str() == script.name;
        if of_script && !again {
            frames.push(Frame::new(entry));
        }
    }
    // Not one of its subclasses: those say themselves where they come from.
    if exception.class().is(vm.ctx.exceptions.assertion_error)
        && let Some(last) = frames.last_mut()
    {
        last.point_at_assert(script);
    }
    frames
}

fn render_frames(frames: &[Frame], script: &Script) -> String {
    let mut lines = vec!["Traceback (most recent call last):".to_owned()];
    let mut repeated = 0;
    for (index, frame) in frames.iter().enumerate() {
        let Frame { function, line, .. } = frame;
        let same = |other: &Frame| other.line == *line && other.function == *function;
        let before = frames[..index]
            .iter()
            .rev()
            .take_while(|other| same(other))
            .count();
        if before >= SHOWN_REPETITIONS {
            repeated += 1;
            if !frames.get(index + 1).is_some_and(same) {
                lines.push(format!("  [Previous line repeated {repeated} more times]"));
                repeated = 0;
            }
            continue;
        }
        lines.push(format!(
            "  File \"{}\", line {line}, in {function}",
            script.name
        ));
        let source = line_of(script, *line);
        let shown = source.trim();
        if shown.is_empty() {
            continue;
        }
        lines.push(format!("    {shown}"));
        if let (start, Some(end)) = frame.columns(script) {
            lines.extend(carets(source, start, end));
        }
    }
    lines.join("\n")
}

/// A line that marks columns `start..end` of `source` where it is shown without its indentation; none if they are all
/// of it.
fn carets(source: &str, start: usize, end: usize) -> Option<String> {
    let indentation = source.chars().take_while(|c| c.is_whitespace()).count();
    let width = source.trim().chars().count();
    let first = (start - 1).checked_sub(indentation)?;
    let length = end.checked_sub(start).filter(|length| *length > 0)?;
    let whole = first == 0 && length >= width;
    (!whole && first + length <= width)
        .then(|| format!("    {}{}", " ".repeat(first), "^".repeat(length)))
}

fn line_of(script: &Script, line: usize) -> &str {
    script
        .text
        .lines()
        .nth(line.saturating_sub(1))
        .unwrap_or("")
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
    let frames = frames(&before, script, vm);
    if !frames.is_empty() {
        parts.push(render_frames(&frames, script));
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

/// Name and message of an exception, with its notes.
fn message(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> String {
    if exception.fast_isinstance(vm.ctx.exceptions.system_exit) {
        let code = exit_code(exception, vm).unwrap_or_default();
        let status = if code.parse::<i64>().is_ok() {
            "exit status "
        } else {
            ""
        };
        return format!("the script ended itself: {status}{code}");
    }
    let object = exception.as_object().to_owned();
    let name = class_name(exception, vm);
    let described = text(&object, vm).unwrap_or_else(|_| "(no message: str() failed)".to_owned());
    let mut message = if described.is_empty() {
        name
    } else {
        format!("{name}: {described}")
    };
    if let Some(meant) = offer_suggestions(exception, vm) {
        message += &format!(". Did you mean: '{}'?", meant.to_string_lossy());
    }
    if let Ok(notes) = object.get_attr("__notes__", vm)
        && let Ok(notes) = notes.try_into_value::<Vec<_>>(vm)
    {
        for note in notes {
            if let Ok(note) = text(&note, vm) {
                message.push('\n');
                message.push_str(&note);
            }
        }
    }
    message
}

/// The name of an exception's class, with its module unless it is one that scripts know by its bare name.
fn class_name(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> String {
    let class = exception.class();
    let name = class.name().to_string();
    let module = class.as_object().get_attr("__module__", vm);
    match module.and_then(|module| text(&module, vm)) {
        Ok(module)
            if module != "builtins"
                && module != "__main__"
                && !module.starts_with("test_driver.") =>
        {
            format!("{module}.{name}")
        }
        _ => name,
    }
}

/// What a `SystemExit` says; `0` where it says nothing.
pub(crate) fn exit_code(exception: &Py<PyBaseException>, vm: &VirtualMachine) -> Option<String> {
    match exception.args().as_slice() {
        [] => Some("0".to_owned()),
        [code] if vm.is_none(code) => Some("0".to_owned()),
        [code] => text(code, vm).ok(),
        _ => None,
    }
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
    let source = line_of(script, line);
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
        line: Some(line),
        column,
    })
}

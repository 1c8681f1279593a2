//! The places that lead to a failure, with their source lines.

use std::fs;

use rustpython_vm::builtins::{PyBaseException, PyTraceback};
use rustpython_vm::{AsObject, Py, PyRef, VirtualMachine};

use crate::asserts;
use crate::engine::Script;

/// How often one place is shown in a row before the rest is only counted.
const SHOWN_REPETITIONS: usize = 3;
/// How many lines of a long statement are shown.
const SHOWN_LINES: usize = 20;

/// A place in the script, or in a package that it imports from outside.
pub(super) struct Frame {
    pub(super) is_of_script: bool,
    file: String,
    function: String,
    /// Counted from 1.
    pub(super) line: usize,
    /// In characters, counted from 1.
    pub(super) column: usize,
    /// Its source, and marks below it.
    shown: Vec<String>,
}

/// Where in a text something is: line and column, the column in bytes, both counted from 1; and one past the last
/// column, where all of it lies on the line.
struct Place {
    line: usize,
    start: usize,
    end: Option<usize>,
}

impl Place {
    fn of(traceback: &PyTraceback) -> Self {
        let code = &traceback.frame.code.code;
        // The interpreter counts instructions in units of two bytes.
        let location = code.locations.get(traceback.lasti as usize / 2);
        let line = traceback.lineno.get();
        let location = location.filter(|(start, _)| start.line.get() == line);
        let on_line = location.filter(|(start, end)| start.line == end.line);
        Self {
            line,
            start: location.map_or(1, |(start, _)| start.character_offset.get()),
            end: on_line.map(|(_, end)| end.character_offset.get()),
        }
    }

    fn offset(&self, text: &str) -> usize {
        let lines = text.split_inclusive('\n').take(self.line - 1);
        lines.map(str::len).sum::<usize>() + self.start - 1
    }
}

impl Frame {
    fn new(traceback: &PyTraceback, file: &str, is_of_script: bool, text: &str) -> Self {
        let place = Place::of(traceback);
        let source = line_of(text, place.line);
        let column = characters(source, place.start);
        let mut shown = Vec::new();
        if !source.trim().is_empty() {
            shown.push(source.trim().to_owned());
        }
        if let Some(end) = place.end {
            shown.extend(carets(source, column, characters(source, end)));
        }
        Self {
            is_of_script,
            file: file.to_owned(),
            function: traceback.frame.code.code.obj_name.to_string(),
            line: place.line,
            column,
            shown,
        }
    }

    /// The interpreter says that an assertion failed where it ends, or inside its message: points at what it asserts, and
    /// shows all of a statement that spans lines.
    fn point_at_assert(&mut self, traceback: &PyTraceback, text: &str) {
        let offset = Place::of(traceback).offset(text);
        let Some(found) = asserts::enclosing(text, offset) else {
            return;
        };
        let (line, start) = place(text, found.statement.start);
        let (last_line, _) = place(text, found.statement.end);
        let source = line_of(text, line);
        self.line = line;
        self.column = characters(source, start);
        if last_line > line {
            self.shown = dedented(text, line, last_line);
            return;
        }
        let (_, test_start) = place(text, found.test.start);
        let (_, test_end) = place(text, found.test.end);
        self.column = characters(source, test_start);
        self.shown = vec![source.trim().to_owned()];
        self.shown
            .extend(carets(source, self.column, characters(source, test_end)));
    }

    fn is_same(&self, other: &Self) -> bool {
        self.line == other.line && self.function == other.function && self.file == other.file
    }
}

/// Lines of a text, without the indentation of the first.
fn dedented(text: &str, first: usize, last: usize) -> Vec<String> {
    let source = line_of(text, first);
    let indentation = source.len() - source.trim_start().len();
    let without = |line: usize| {
        let source = line_of(text, line).trim_end();
        let spaces = source.len() - source.trim_start().len();
        source[indentation.min(spaces)..].to_owned()
    };
    let mut lines: Vec<String> = (first..=last).take(SHOWN_LINES).map(without).collect();
    if last - first >= SHOWN_LINES {
        lines.push("…".to_owned());
    }
    lines
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
pub(super) fn characters(line: &str, byte: usize) -> usize {
    line.char_indices()
        .take_while(|(index, _)| index + 1 < byte)
        .count()
        + 1
}

/// The places that lead to an exception, outermost first. A block that passes an exception on adds its frame again: only
/// the place where the exception came from counts.
pub(super) fn of(
    exception: &Py<PyBaseException>,
    script: &Script,
    vm: &VirtualMachine,
) -> Vec<Frame> {
    let Some(first) = exception.__traceback__() else {
        return Vec::new();
    };
    // Not one of its subclasses: those say themselves where they come from.
    let is_assert = exception.class().is(vm.ctx.exceptions.assertion_error);
    let entries: Vec<PyRef<PyTraceback>> = first.iter().collect();
    let mut frames = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let next = entries.get(index + 1);
        if next.is_some_and(|next| next.frame.is(&entry.frame)) {
            continue;
        }
        let file = entry.frame.code.source_path().as_str();
        let is_of_script = file == script.name;
        let read;
        let text = if is_of_script {
            &script.text
        } else if is_from_outside(file, script) {
            read = fs::read_to_string(file).unwrap_or_default();
            &read
        } else {
            continue;
        };
        let mut frame = Frame::new(entry, file, is_of_script, text);
        if is_assert && next.is_none() {
            frame.point_at_assert(entry, text);
        }
        frames.push(frame);
    }
    frames
}

/// Whether a file belongs to a package that the test brings with it: its lines help as the script's do.
fn is_from_outside(file: &str, script: &Script) -> bool {
    let mut folders = script.python_path.iter();
    folders.any(|folder| std::path::Path::new(file).starts_with(folder))
}

/// The frames as Python shows them.
pub(super) fn render(frames: &[Frame]) -> String {
    let mut lines = vec!["Traceback (most recent call last):".to_owned()];
    let mut repeated = 0;
    for (index, frame) in frames.iter().enumerate() {
        let before = frames[..index].iter().rev();
        let before = before.take_while(|other| frame.is_same(other)).count();
        if before >= SHOWN_REPETITIONS {
            repeated += 1;
            if !frames
                .get(index + 1)
                .is_some_and(|next| next.is_same(frame))
            {
                lines.push(format!("  [Previous line repeated {repeated} more times]"));
                repeated = 0;
            }
            continue;
        }
        let Frame {
            file,
            line,
            function,
            ..
        } = frame;
        lines.push(format!("  File \"{file}\", line {line}, in {function}"));
        lines.extend(frame.shown.iter().map(|line| format!("    {line}")));
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
    (!whole && first + length <= width).then(|| " ".repeat(first) + &"^".repeat(length))
}

/// A line of a text, counted from 1.
pub(super) fn line_of(text: &str, line: usize) -> &str {
    text.lines().nth(line.saturating_sub(1)).unwrap_or("")
}

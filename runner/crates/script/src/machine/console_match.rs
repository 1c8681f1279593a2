//! Finding a pattern in a console's text, as it stands there and as it was written.
//!
//! Other drivers put lines together without what ends them, so `.` runs across lines there; a pattern with `\n`, `^` or `$`
//! means lines. They leave out blanks at the ends of lines, too. And a kernel message can come in the middle of a line of
//! somebody else's. So a text is searched as it stands, with its lines put together, and both again without those blanks,
//! without the kernel messages that split lines, and without either.
//!
//! Other drivers search again after each line, so a match takes no more lines than it needs, however greedy the pattern.

use std::ops::Range;

use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

use super::regex;

/// A regular expression that is searched for in consoles.
pub(super) struct Pattern {
    /// With `^` and `$` at lines, for text that has lines.
    lines: PyObjectRef,
    /// As the script gave it.
    whole: PyObjectRef,
}

impl Pattern {
    pub(super) fn new(pattern: &PyObjectRef, vm: &VirtualMachine) -> PyResult<Self> {
        let whole = regex::compiled(pattern, vm)?;
        let re = vm.import("re", 0)?;
        let multiline = re.get_attr("MULTILINE", vm)?;
        let flags = vm._or(&*whole.get_attr("flags", vm)?, &multiline)?;
        let expression = whole.get_attr("pattern", vm)?;
        let lines = vm.call_method(&re, "compile", (expression, flags))?;
        Ok(Self { lines, whole })
    }

    /// The end of the first match in as few lines as possible, as an offset in `text`.
    pub(super) fn find(&self, text: &str, vm: &VirtualMachine) -> PyResult<Option<usize>> {
        let Some(found) = self.find_any(text, vm)? else {
            return Ok(None);
        };
        // A match within one line has none to spare.
        let ends = text[found.clone()].match_indices('\n');
        let ends: Vec<usize> = ends.map(|(at, _)| found.start + at + 1).collect();
        let mut end = found.end;
        let (mut low, mut high) = (0, ends.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.find_any(&text[..ends[middle]], vm)? {
                Some(shorter) => (end, high) = (shorter.end, middle),
                None => low = middle + 1,
            }
        }
        Ok(Some(end))
    }

    /// A match in any form of a text, as offsets in `text`.
    fn find_any(&self, text: &str, vm: &VirtualMachine) -> PyResult<Option<Range<usize>>> {
        let plain = Form::plain(text);
        let mended = plain.mended();
        for written in [Some(plain), mended].into_iter().flatten() {
            let trimmed = written.trimmed();
            for form in [Some(written), trimmed].into_iter().flatten() {
                if let Some(found) = search(&self.lines, &form.text, vm)? {
                    return Ok(Some(form.origin(&found)));
                }
                let joined = form.joined();
                if let Some(found) = search(&self.whole, &joined.text, vm)? {
                    return Ok(Some(joined.origin(&found)));
                }
            }
        }
        Ok(None)
    }
}

/// The first match, as offsets in bytes.
fn search(
    pattern: &PyObjectRef,
    text: &str,
    vm: &VirtualMachine,
) -> PyResult<Option<Range<usize>>> {
    let found = vm.call_method(pattern, "search", (text,))?;
    if vm.is_none(&found) {
        return Ok(None);
    }
    let offset = |method| -> PyResult<usize> {
        // Python counts characters.
        let index: usize = vm.call_method(&found, method, ())?.try_into_value(vm)?;
        let mut offsets = text.char_indices().map(|(offset, _)| offset);
        Ok(offsets.nth(index).unwrap_or(text.len()))
    };
    Ok(Some(offset("start")?..offset("end")?))
}

/// A text made of parts of another one.
struct Form {
    text: String,
    /// Where each part begins, in this text and in the other one.
    parts: Vec<(usize, usize)>,
}

impl Form {
    fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            parts: vec![(0, 0)],
        }
    }

    /// The offsets in the original that a match in this text has.
    fn origin(&self, found: &Range<usize>) -> Range<usize> {
        let end = self.end(found.end);
        // An empty match may lie between two parts.
        self.place(found.start).min(end)..end
    }

    /// The offset in the original that an end in this text has.
    fn end(&self, end: usize) -> usize {
        // The part that the last character before the end lies in.
        let index = self
            .parts
            .partition_point(|(begin, _)| *begin < end)
            .saturating_sub(1);
        let (begin, origin) = self.parts.get(index).copied().unwrap_or_default();
        origin + (end - begin)
    }

    /// Without the ends of lines.
    fn joined(&self) -> Self {
        self.without(|rest| rest.find('\n').map(|at| (at, at + 1)))
    }

    /// Without the blanks that lines end with; none where there are none.
    fn trimmed(&self) -> Option<Self> {
        let mut found = false;
        let trimmed = self.without(|rest| {
            let mut from = 0;
            loop {
                let end = rest[from..].find('\n').map_or(rest.len(), |at| from + at);
                let kept = from + rest[from..end].trim_end().len();
                if kept < end {
                    found = true;
                    return Some((kept, end));
                }
                if end == rest.len() {
                    return None;
                }
                from = end + 1;
            }
        });
        found.then_some(trimmed)
    }

    /// Without the kernel messages that lines of other writers are split by; none where there are none.
    fn mended(&self) -> Option<Self> {
        let mut found = false;
        let mut at_line_start = true;
        let mended = self.without(|rest| {
            let mut from = 0;
            loop {
                let at = from + rest[from..].find('[')?;
                let starts_line = if at == 0 {
                    at_line_start
                } else {
                    rest[..at].ends_with('\n')
                };
                if let Some(length) = kernel_message(&rest[at..])
                    && !starts_line
                {
                    found = true;
                    at_line_start = false;
                    return Some((at, at + length));
                }
                from = at + 1;
            }
        });
        found.then_some(mended)
    }

    /// Leaves out what `next` finds, again and again, in the text after the last find.
    fn without(&self, mut next: impl FnMut(&str) -> Option<(usize, usize)>) -> Self {
        let mut form = Self {
            text: String::with_capacity(self.text.len()),
            parts: Vec::new(),
        };
        let mut from = 0;
        loop {
            let rest = &self.text[from..];
            let cut = next(rest);
            let (begin, end) = cut.unwrap_or((rest.len(), rest.len()));
            form.keep(self, from, from + begin);
            if cut.is_none() {
                return form;
            }
            from += end;
        }
    }

    /// Adds a part of another form of the same text.
    fn keep(&mut self, other: &Self, begin: usize, end: usize) {
        let shift = self.text.len();
        self.parts.push((shift, other.place(begin)));
        let inside = other.parts.partition_point(|(at, _)| *at <= begin)
            ..other.parts.partition_point(|(at, _)| *at < end);
        for (at, origin) in &other.parts[inside.start..inside.end.max(inside.start)] {
            self.parts.push((shift + at - begin, *origin));
        }
        self.text.push_str(&other.text[begin..end]);
    }

    /// The offset in the original of the character at an offset in this text.
    fn place(&self, offset: usize) -> usize {
        let index = self
            .parts
            .partition_point(|(begin, _)| *begin <= offset)
            .saturating_sub(1);
        let (begin, origin) = self.parts.get(index).copied().unwrap_or_default();
        origin + (offset - begin)
    }
}

/// The length of the kernel message that a text begins with, such as `[   12.345678] usb 1-1: new device`, and the end of
/// its line. A message whose line has not ended yet is none.
fn kernel_message(text: &str) -> Option<usize> {
    let after = text.strip_prefix('[')?.trim_start_matches(' ');
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let fraction = after.strip_prefix('.')?;
    let (micros, after) = fraction.split_at_checked(6)?;
    if !micros.bytes().all(|byte| byte.is_ascii_digit()) || !after.starts_with(']') {
        return None;
    }
    text.find('\n').map(|end| end + 1)
}

/// The end of the line that an offset lies in or behind, which may not have ended yet.
pub(super) fn end_of_line(text: &str, offset: usize) -> usize {
    if text[..offset].ends_with('\n') {
        return offset;
    }
    text[offset..]
        .find('\n')
        .map_or(text.len(), |end| offset + end + 1)
}

#[cfg(test)]
mod tests {
    use super::{Form, end_of_line, kernel_message};

    #[test]
    fn kernel_messages_are_known_by_their_time() {
        let cases = [
            ("[    1.234567] usb: new\nrest", Some(24)),
            ("[12345.000001] x\n", Some(17)),
            ("[    1.234567] no end", None),
            ("[  OK  ] Started x\n", None),
            ("[    1.23] x\n", None),
            ("[1.23456é] x\n", None),
            ("plain", None),
        ];
        for (text, length) in cases {
            assert_eq!(kernel_message(text), length, "{text}");
        }
    }

    #[test]
    fn split_lines_are_mended() {
        let text = "one\nhel[    1.000001] a\n[    1.000002] b\nlo there\n[    2.000000] c\nend\n";
        let mended = Form::plain(text).mended().expect("a line is split");
        assert_eq!(mended.text, "one\nhello there\n[    2.000000] c\nend\n");
        let joined = mended.joined();
        assert_eq!(joined.text, "onehello there[    2.000000] cend");
        for form in [mended, joined] {
            for word in ["one", "hel", "there", "c", "end"] {
                let end = form.text.find(word).expect("the word is there") + word.len();
                let origin = form.end(end);
                assert!(
                    text[..origin].ends_with(word),
                    "{word}: {}",
                    &text[..origin]
                );
            }
        }
        let whole = "[    2.000000] c\n[    3.000000] d\nend\n";
        assert!(Form::plain(whole).mended().is_none());
    }

    #[test]
    fn blanks_at_the_ends_of_lines_are_left_out() {
        let text = "a b \n\n \t\nc\nlogin:  ";
        let trimmed = Form::plain(text).trimmed().expect("there are blanks");
        assert_eq!(trimmed.text, "a b\n\n\nc\nlogin:");
        let line = trimmed.text.find("c\n").expect("the line is there");
        assert_eq!(
            trimmed.origin(&(line..line + 1)),
            text.find('c').unwrap()..text.find("\nlogin").unwrap()
        );
        assert!(Form::plain(" a\n\nb\n").trimmed().is_none());
    }

    #[test]
    fn lines_are_taken_whole() {
        let cases = [
            ("ab\ncd\n", 1, 3),
            ("ab\ncd\n", 2, 3),
            ("ab\ncd\n", 3, 3),
            ("ab\nlogin: ", 8, 10),
            ("", 0, 0),
        ];
        for (text, offset, end) in cases {
            assert_eq!(end_of_line(text, offset), end, "{text:?} {offset}");
        }
    }
}

//! From systemd's export format to lines as people read them.
//!
//! The format: <https://systemd.io/JOURNAL_EXPORT_FORMATS/>. Fields are `NAME=value` and a line feed; those with values of
//! other bytes than text are `NAME`, a line feed, the length in eight bytes (little-endian), the value and a line feed. An
//! empty line ends an entry.

use std::io::Write as _;

/// The fields that are asked for; times come unasked.
pub(super) const FIELDS: &str =
    "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_COMM,SYSLOG_PID,_PID,_SYSTEMD_UNIT,UNIT";

/// Longest message in bytes; the rest of it is in the guest's journal.
const LONGEST: usize = 8 << 10;

/// Longest entry in bytes. What is longer is taken for the end of the format's sense.
const LONGEST_ENTRY: usize = 64 << 20;

/// An entry of the journal.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    /// Microseconds of the boot.
    pub(super) time: u64,
    message: Vec<u8>,
    priority: Option<u8>,
    identifier: Vec<u8>,
    pid: Vec<u8>,
    unit: Vec<u8>,
}

/// What comes of the bytes that follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// An entry of so many bytes.
    Entry(Entry, usize),
    /// It is not complete.
    More,
    /// This is not the format.
    Nonsense,
}

/// The first entry of these bytes.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut entry = Entry::default();
    let mut position = 0;
    loop {
        let rest = &bytes[position..];
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
            return unfinished(bytes);
        };
        let line = &rest[..end];
        position += end + 1;
        if line.is_empty() {
            return Parsed::Entry(entry, position);
        }
        if let Some(equals) = line.iter().position(|&byte| byte == b'=') {
            entry.set(&line[..equals], &line[equals + 1..]);
            continue;
        }
        let rest = &bytes[position..];
        let Some((length, rest)) = rest.split_first_chunk::<8>() else {
            return unfinished(bytes);
        };
        let length = match usize::try_from(u64::from_le_bytes(*length)) {
            Ok(length) if length <= LONGEST_ENTRY => length,
            _ => return Parsed::Nonsense,
        };
        let Some(value) = rest.get(..length) else {
            return unfinished(bytes);
        };
        entry.set(line, value);
        position += 8 + length + 1;
        if position > bytes.len() {
            return unfinished(bytes);
        }
    }
}

const fn unfinished(bytes: &[u8]) -> Parsed {
    if bytes.len() > LONGEST_ENTRY {
        Parsed::Nonsense
    } else {
        Parsed::More
    }
}

fn number(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

impl Entry {
    fn set(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"__MONOTONIC_TIMESTAMP" => self.time = number(value).unwrap_or(0),
            b"PRIORITY" => self.priority = number(value).and_then(|n| u8::try_from(n).ok()),
            b"MESSAGE" => self.message = value[..value.len().min(LONGEST)].to_vec(),
            b"SYSLOG_IDENTIFIER" => self.identifier = value.to_vec(),
            b"_COMM" if self.identifier.is_empty() => self.identifier = value.to_vec(),
            b"SYSLOG_PID" => self.pid = value.to_vec(),
            b"_PID" if self.pid.is_empty() => self.pid = value.to_vec(),
            // What systemd says of a unit counts as the unit's.
            b"UNIT" => self.unit = value.to_vec(),
            b"_SYSTEMD_UNIT" if self.unit.is_empty() => self.unit = value.to_vec(),
            _ => {}
        }
    }

    /// Appends the lines: `<`, priority, `>`, unit and a space, and then what `journalctl -o short-monotonic --no-hostname`
    /// prints. An unknown priority or unit is empty. Lines that follow the first of a message begin with a space.
    pub(super) fn write(&self, text: &mut Vec<u8>) {
        text.push(b'<');
        if let Some(priority) = self.priority.filter(|priority| *priority < 8) {
            text.push(b'0' + priority);
        }
        text.push(b'>');
        let is_word = |byte: &&u8| byte.is_ascii_graphic();
        text.extend(self.unit.iter().filter(is_word));
        text.push(b' ');
        let start = text.len();
        let (seconds, micros) = (self.time / 1_000_000, self.time % 1_000_000);
        // Writing to memory does not fail.
        let _ = write!(text, "[{seconds:5}.{micros:06}] ");
        text.extend(self.identifier.iter().filter(|byte| **byte != b'\n'));
        if !self.pid.is_empty() {
            text.push(b'[');
            text.extend(self.pid.iter().filter(is_word));
            text.push(b']');
        }
        text.extend(b": ");
        let indentation = text.len() - start;
        let message = self.message.trim_ascii_end();
        for (index, line) in message.split(|&byte| byte == b'\n').enumerate() {
            if index > 0 {
                text.resize(text.len() + indentation, b' ');
            }
            text.extend(line);
            text.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &[u8] = b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1700000000000000\n__MONOTONIC_TIMESTAMP=10243047\n\
        _BOOT_ID=0123\n_COMM=systemd\n_PID=1\nSYSLOG_IDENTIFIER=systemd\nPRIORITY=3\n_SYSTEMD_UNIT=init.scope\nUNIT=a.service\n\
        MESSAGE=Failed = to start\n\n";

    fn lines(bytes: &[u8]) -> String {
        let mut text = Vec::new();
        let mut rest = bytes;
        while let Parsed::Entry(entry, length) = parse(rest) {
            entry.write(&mut text);
            rest = &rest[length..];
        }
        assert_eq!(parse(rest), Parsed::More);
        String::from_utf8(text).expect("text")
    }

    #[test]
    fn entries_become_lines() {
        assert_eq!(
            lines(ENTRY),
            "<3>a.service [   10.243047] systemd[1]: Failed = to start\n"
        );
        let several = [ENTRY, ENTRY].concat();
        assert_eq!(lines(&several).lines().count(), 2);
        assert_eq!(lines(b"MESSAGE=bare\n\n"), "<> [    0.000000] : bare\n");
    }

    #[test]
    fn messages_of_several_lines_are_indented() {
        let mut entry = b"SYSLOG_IDENTIFIER=x\nMESSAGE\n\x08\0\0\0\0\0\0\0one\ntwo\n\n__MONOTONIC_TIMESTAMP=1\n\n".to_vec();
        let expected = "<> [    0.000001] x: one\n                  two\n";
        assert_eq!(lines(&entry), expected);
        // Half of it is not enough, wherever it is cut.
        while entry.pop().is_some() {
            assert_eq!(parse(&entry), Parsed::More);
        }
    }

    #[test]
    fn what_is_not_the_format() {
        assert_eq!(
            parse(b"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff"),
            Parsed::Nonsense
        );
        let long = vec![b'x'; LONGEST_ENTRY + 1];
        assert_eq!(parse(&long), Parsed::Nonsense);
    }

    #[test]
    fn long_messages_are_cut() {
        let entry = [b"MESSAGE=", vec![b'x'; LONGEST * 2].as_slice(), b"\n\n"].concat();
        assert!(lines(&entry).len() < LONGEST + 100);
    }
}

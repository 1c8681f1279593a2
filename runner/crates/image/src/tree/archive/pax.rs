//! PAX extended headers: `length key=value\n` records (POSIX `pax`, "pax Extended Header").

use std::collections::BTreeMap;
use std::str::FromStr;

use super::ArchiveError;

/// Keys under which GNU tar, bsdtar and star keep extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// What extended headers say of the entries after them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    /// Seconds and nanoseconds.
    pub(super) mtime: Option<(i64, u32)>,
    pub(super) xattrs: BTreeMap<Box<[u8]>, Box<[u8]>>,
    pub(super) sparse: bool,
}

impl Records {
    /// Adds the records of one extended header.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> Result<(), ArchiveError> {
        while !bytes.is_empty() && bytes[0] != 0 {
            let (key, value, rest) = split(bytes).ok_or_else(|| bad(bytes))?;
            match key {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number(key, value)?),
                b"uid" => self.uid = Some(number(key, value)?),
                b"gid" => self.gid = Some(number(key, value)?),
                b"mtime" => self.mtime = Some(time(value).ok_or_else(|| bad(key))?),
                _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
                _ => {
                    if let Some(name) = key.strip_prefix(XATTR) {
                        self.xattrs.insert(name.into(), value.into());
                    }
                }
            }
            bytes = rest;
        }
        Ok(())
    }
}

/// Key and value of the first record, and the records after it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length: usize = parse(&bytes[..space])?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], &bytes[length..]))
}

fn parse<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn number(key: &[u8], value: &[u8]) -> Result<u64, ArchiveError> {
    parse(value).ok_or_else(|| bad(key))
}

/// Decimal seconds with any number of digits after the point; what is below a nanosecond is dropped.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let mut parts = value.splitn(2, |byte| *byte == b'.');
    let seconds: i64 = parse(parts.next()?)?;
    let mut digits = parts.next().unwrap_or_default().to_vec();
    digits.resize(9, b'0');
    let nanoseconds: u32 = parse(&digits)?;
    if nanoseconds > 0 && value.starts_with(b"-") {
        // The fraction of a time before the epoch counts backwards.
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((seconds, nanoseconds))
}

fn bad(record: &[u8]) -> ArchiveError {
    let shown = record.get(..80).unwrap_or(record);
    ArchiveError::Pax(String::from_utf8_lossy(shown).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Records, time};

    fn record(key: &str, value: &[u8]) -> Vec<u8> {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        // The length counts its own digits.
        let mut length = rest.len();
        while length != rest.len() + length.to_string().len() {
            length = rest.len() + length.to_string().len();
        }
        [length.to_string().into_bytes(), rest].concat()
    }

    #[test]
    fn times() {
        let cases: [(&str, Option<(i64, u32)>); 8] = [
            ("1", Some((1, 0))),
            ("1.5", Some((1, 500_000_000))),
            ("1700000000.123456789", Some((1_700_000_000, 123_456_789))),
            ("1.1234567891", Some((1, 123_456_789))),
            ("-1.25", Some((-2, 750_000_000))),
            ("-0.25", Some((-1, 750_000_000))),
            ("1.x", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn malformed_records_are_errors() {
        let cases = [
            "5",
            "x path=a\n",
            "99 path=a\n",
            "9 path=a",
            "9 size=x\n",
            "0 \n",
            "7 path\n",
        ];
        for text in cases {
            assert!(
                Records::default().read(text.as_bytes()).is_err(),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn attributes_keep_every_byte(value: Vec<u8>, other: Vec<u8>) {
            let bytes = [
                record("SCHILY.xattr.security.capability", &value),
                record("comment", &other),
                record("SCHILY.xattr.user.other", &other),
            ]
            .concat();
            let mut records = Records::default();
            records.read(&bytes).unwrap();
            prop_assert_eq!(&*records.xattrs[&b"security.capability"[..]], &value[..]);
            prop_assert_eq!(&*records.xattrs[&b"user.other"[..]], &other[..]);
        }

        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            let _ = Records::default().read(&bytes);
        }
    }
}

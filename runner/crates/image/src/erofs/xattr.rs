//! Extended attributes, kept behind their inode (`erofs_xattr_ibody_header` and `erofs_xattr_entry`s).

use std::collections::BTreeMap;

/// Size of `struct erofs_xattr_ibody_header`.
const HEADER: usize = 12;

/// Size of `struct erofs_xattr_entry`, and what entries are aligned to.
const ENTRY: usize = 4;

/// Name prefixes with their `EROFS_XATTR_INDEX_*`. The two access control lists are whole names.
const PREFIXES: [(&[u8], u8); 5] = [
    (b"user.", 1),
    (b"system.posix_acl_access", 2),
    (b"system.posix_acl_default", 3),
    (b"trusted.", 4),
    (b"security.", 6),
];

/// Why attributes cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XattrFault<'a> {
    /// A name outside the known namespaces.
    Namespace(&'a [u8]),
    /// A field overflows.
    TooLarge,
}

/// The attributes as they lie behind the inode; empty when there are none.
pub(super) fn encode(xattrs: &BTreeMap<Box<[u8]>, Box<[u8]>>) -> Result<Vec<u8>, XattrFault<'_>> {
    if xattrs.is_empty() {
        return Ok(Vec::new());
    }
    let mut body = vec![0; HEADER];
    for (name, value) in xattrs {
        let (suffix, index) = split(name).ok_or(XattrFault::Namespace(name))?;
        body.push(u8::try_from(suffix.len()).map_err(|_| XattrFault::TooLarge)?);
        body.push(index);
        let size = u16::try_from(value.len()).map_err(|_| XattrFault::TooLarge)?;
        body.extend(size.to_le_bytes());
        body.extend(suffix);
        body.extend(&**value);
        body.resize(body.len().next_multiple_of(ENTRY), 0);
    }
    match count(body.len()) {
        Some(_) => Ok(body),
        None => Err(XattrFault::TooLarge),
    }
}

/// `i_xattr_icount` for attributes of this encoded size: the header counts as one, then one for each four bytes.
pub(super) fn count(encoded: usize) -> Option<u16> {
    match encoded {
        0 => Some(0),
        size => u16::try_from((size - HEADER) / ENTRY + 1).ok(),
    }
}

fn split(name: &[u8]) -> Option<(&[u8], u8)> {
    PREFIXES.iter().find_map(|(prefix, index)| {
        let suffix = name.strip_prefix(*prefix)?;
        let namespace = prefix.ends_with(b".");
        (namespace != suffix.is_empty()).then_some((suffix, *index))
    })
}

#[cfg(test)]
mod tests {
    use super::{XattrFault, count, encode, split};

    #[test]
    fn names_have_the_kernels_numbers() {
        let cases: [(&str, Option<(&str, u8)>); 8] = [
            ("user.comment", Some(("comment", 1))),
            ("system.posix_acl_access", Some(("", 2))),
            ("system.posix_acl_default", Some(("", 3))),
            ("trusted.overlay.opaque", Some(("overlay.opaque", 4))),
            ("security.capability", Some(("capability", 6))),
            ("user.", None),
            ("system.posix_acl_access2", None),
            ("btrfs.compression", None),
        ];
        for (name, expected) in cases {
            let expected = expected.map(|(suffix, index)| (suffix.as_bytes(), index));
            assert_eq!(split(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let one = |name: &[u8], size: usize| [(name.into(), vec![7; size].into())].into();
        assert_eq!(
            encode(&one(b"user.a", 65535)).unwrap().len(),
            12 + 4 + 1 + 65535
        );
        assert_eq!(encode(&one(b"user.a", 65536)), Err(XattrFault::TooLarge));
        assert_eq!(
            encode(&one(&[&b"user."[..], &[b'a'; 256]].concat(), 1)),
            Err(XattrFault::TooLarge)
        );
        assert_eq!(
            encode(&one(b"other.a", 1)),
            Err(XattrFault::Namespace(b"other.a"))
        );
        assert_eq!(count(0), Some(0));
        assert_eq!(count(12 + 4 * 65534), Some(65535));
        assert_eq!(count(12 + 4 * 65535), None);
    }
}

//! A reader for tests: takes an image apart by the format's description, sharing no code with the writer, and
//! checks on the way what the kernel checks.

use std::collections::BTreeMap;

/// An object as the image has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inode {
    pub(super) nid: u64,
    pub(super) mode: u16,
    pub(super) links: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: (i64, u32),
    pub(super) rdev: u32,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) data: Vec<u8>,
}

const BLOCK: usize = 4096;

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    let mut wide = [0; 8];
    wide[..N].copy_from_slice(&bytes[at..at + N]);
    u64::from_le_bytes(wide)
}

fn index(value: u64) -> usize {
    usize::try_from(value).unwrap()
}

/// All names with what they lead to.
pub(super) fn read(image: &[u8]) -> BTreeMap<Vec<u8>, Inode> {
    let sb = &image[1024..];
    assert_eq!(number::<4>(sb, 0), 0xE0F5_E1E2, "magic");
    assert_eq!(
        number::<4>(sb, 4),
        u64::from(checksum(&image[1024..BLOCK])),
        "checksum"
    );
    assert_eq!(sb[12], 12, "block size");
    assert_eq!(index(number::<4>(sb, 36)) * BLOCK, image.len(), "blocks");
    assert_eq!(number::<4>(sb, 40), 0, "first metadata block");
    assert_eq!(&sb[64..80], b"nix-store\0\0\0\0\0\0\0", "label");
    assert_eq!(number::<4>(sb, 80), 0, "incompatible features");
    let root = inode(image, number::<2>(sb, 14));

    let mut found = BTreeMap::new();
    let mut pending = vec![(Vec::new(), root.nid, root)];
    while let Some((path, parent, inode)) = pending.pop() {
        if inode.mode & 0o170_000 == 0o040_000 {
            for (name, nid, kind) in directory(&inode.data) {
                let child = self::inode(image, nid);
                let by_mode =
                    [0, 5, 3, 0, 2, 0, 4, 0, 1, 0, 7, 0, 6][usize::from(child.mode >> 12)];
                assert_eq!(
                    kind,
                    by_mode,
                    "type of {:?}",
                    String::from_utf8_lossy(&name)
                );
                match name.as_slice() {
                    b"." => assert_eq!(nid, inode.nid),
                    b".." => assert_eq!(nid, parent),
                    _ => pending.push(([path.as_slice(), b"/", &name].concat(), inode.nid, child)),
                }
            }
        }
        found.insert(path, inode);
    }
    let mut nids: Vec<u64> = found.values().map(|inode| inode.nid).collect();
    nids.sort_unstable();
    nids.dedup();
    assert_eq!(number::<8>(sb, 16), nids.len() as u64, "number of inodes");
    found
}

fn inode(image: &[u8], nid: u64) -> Inode {
    let start = index(nid * 32);
    let raw = &image[start..];
    let format = number::<2>(raw, 0);
    let extended = format & 1 == 1;
    let layout = format >> 1;
    let (head, size, links) = if extended {
        (64, number::<8>(raw, 8), number::<4>(raw, 44))
    } else {
        (32, number::<4>(raw, 8), number::<2>(raw, 6))
    };
    let xattr_count = index(number::<2>(raw, 2));
    let xattr_size = if xattr_count == 0 {
        0
    } else {
        12 + 4 * (xattr_count - 1)
    };
    let (uid, gid, mtime) = if extended {
        let seconds = number::<8>(raw, 32).cast_signed();
        (
            number::<4>(raw, 24),
            number::<4>(raw, 28),
            (seconds, number::<4>(raw, 40)),
        )
    } else {
        let seconds = number::<8>(&image[1024..], 24).cast_signed();
        (
            number::<2>(raw, 24),
            number::<2>(raw, 26),
            (seconds, number::<4>(&image[1024..], 32)),
        )
    };
    let word = |value: u64| u32::try_from(value).unwrap();
    let place = number::<4>(raw, 16);

    let size = index(size);
    let mode = u16::try_from(number::<2>(raw, 4)).unwrap();
    let has_data = matches!(mode >> 12, 4 | 8 | 10);
    let blocks = index(place) * BLOCK;
    let data = match layout {
        _ if !has_data => Vec::new(),
        0 => image[blocks..][..size].to_vec(),
        2 => {
            let whole = (size - 1) / BLOCK * BLOCK;
            let tail = size - whole;
            let at = start + head + xattr_size;
            assert!(at % BLOCK + tail <= BLOCK, "inline data crosses a block");
            [&image[blocks..][..whole], &image[at..][..tail]].concat()
        }
        other => panic!("data layout {other}"),
    };
    Inode {
        nid,
        mode,
        links: word(links),
        uid: word(uid),
        gid: word(gid),
        mtime: (mtime.0, word(mtime.1)),
        rdev: if has_data { 0 } else { word(place) },
        xattrs: xattrs(&raw[head..head + xattr_size]),
        data,
    }
}

fn xattrs(body: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut at = 12;
    while at < body.len() {
        let (name, value) = (usize::from(body[at]), index(number::<2>(body, at + 2)));
        let prefix = match body[at + 1] {
            1 => "user.",
            2 => "system.posix_acl_access",
            3 => "system.posix_acl_default",
            4 => "trusted.",
            6 => "security.",
            other => panic!("attribute namespace {other}"),
        };
        let start = at + 4;
        let name = [prefix.as_bytes(), &body[start..][..name]].concat();
        let value_start = start + usize::from(body[at]);
        found.insert(name, body[value_start..][..value].to_vec());
        at = (value_start + value).next_multiple_of(4);
    }
    found
}

fn directory(data: &[u8]) -> Vec<(Vec<u8>, u64, u8)> {
    let mut found: Vec<(Vec<u8>, u64, u8)> = Vec::new();
    for block in data.chunks(BLOCK) {
        let first = index(number::<2>(block, 8));
        assert_eq!(first % 12, 0);
        for at in (0..first).step_by(12) {
            let start = index(number::<2>(block, at + 8));
            let end = if at + 12 < first {
                index(number::<2>(block, at + 20))
            } else {
                // The last name ends at the first zero, or with the block.
                let rest = &block[start..];
                start
                    + rest
                        .iter()
                        .position(|byte| *byte == 0)
                        .unwrap_or(rest.len())
            };
            let name = block[start..end].to_vec();
            assert!(!name.is_empty() && name.len() <= 255);
            assert!(
                found.last().is_none_or(|(last, _, _)| *last < name),
                "names are sorted"
            );
            found.push((name, number::<8>(block, at), block[at + 10]));
        }
    }
    found
}

/// The superblock's checksum, a bit at a time over the message with its own field zero.
fn checksum(block: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for (at, byte) in block.iter().enumerate() {
        crc ^= if (4..8).contains(&at) {
            0
        } else {
            u32::from(*byte)
        };
        for _ in 0..8 {
            let out = crc & 1;
            crc >>= 1;
            crc ^= out * 0x82F6_3B78;
        }
    }
    crc
}

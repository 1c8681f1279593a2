//! The archive read back by a reader of its own, and the errors.

use proptest::prelude::*;

use super::{Archive, CpioError};

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    path: String,
    mode: u32,
    device: (u32, u32),
    data: Vec<u8>,
}

/// Reads what the kernel would: up to the trailer, each part at its alignment.
fn read(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        assert_eq!(&bytes[at..at + 6], b"070701");
        let field = |index: usize| {
            let start = at + 6 + 8 * index;
            u32::from_str_radix(std::str::from_utf8(&bytes[start..start + 8]).unwrap(), 16).unwrap()
        };
        assert_eq!((field(2), field(3), field(5)), (0, 0, 0), "owner and time");
        let name = at + 110;
        let name_end = name + field(11) as usize;
        assert_eq!(bytes[name_end - 1], 0);
        let path = String::from_utf8(bytes[name..name_end - 1].to_vec()).unwrap();
        let data = name_end.next_multiple_of(4);
        let data_end = data + field(6) as usize;
        if path == "TRAILER!!!" {
            assert!(bytes.len().is_multiple_of(512));
            assert!(bytes[data_end..].iter().all(|byte| *byte == 0));
            return entries;
        }
        assert_eq!(field(0) as usize, entries.len() + 1, "inode number");
        entries.push(Entry {
            path,
            mode: field(1),
            device: (field(9), field(10)),
            data: bytes[data..data_end].to_vec(),
        });
        at = data_end.next_multiple_of(4);
    }
}

#[test]
fn every_kind_of_entry() {
    let bytes = Archive::new(Vec::new())
        .file("init", 0o755, b"\x7fELF")
        .and_then(|archive| archive.dir("dev", 0o755))
        .and_then(|archive| archive.char_device("dev/console", 0o600, 5, 1))
        .and_then(|archive| archive.symlink("sbin", "usr/sbin"))
        .and_then(Archive::finish)
        .unwrap();
    let entry = |path: &str, mode, device, data: &[u8]| Entry {
        path: path.to_owned(),
        mode,
        device,
        data: data.to_vec(),
    };
    assert_eq!(
        read(&bytes),
        [
            entry("init", 0o100_755, (0, 0), b"\x7fELF"),
            entry("dev", 0o040_755, (0, 0), b""),
            entry("dev/console", 0o020_600, (5, 1), b""),
            entry("sbin", 0o120_777, (0, 0), b"usr/sbin"),
        ]
    );
}

#[test]
fn entries_the_kernel_would_drop_are_errors() {
    let new = || Archive::new(Vec::new());
    let orphan = new().file("lib/modules/a.ko", 0o644, b"").unwrap_err();
    assert!(matches!(orphan, CpioError::MissingDirectory(path) if path == "lib/modules/a.ko"));
    let twice = new()
        .dir("dev", 0o755)
        .unwrap()
        .symlink("dev", "x")
        .unwrap_err();
    assert!(matches!(twice, CpioError::Duplicate(path) if path == "dev"));
    for path in ["", "/init", "a//b", "../a", "a/..", "./a", "a/", "a\0b"] {
        let error = new().file(path, 0o644, b"").unwrap_err();
        assert!(matches!(error, CpioError::BadPath(_)), "{path:?}: {error}");
    }
}

proptest! {
    #[test]
    fn files_are_read_back(files in prop::collection::btree_map("[a-z]{1,9}", any::<Vec<u8>>(), 0..9)) {
        let mut archive = Archive::new(Vec::new());
        for (path, data) in &files {
            archive = archive.file(path, 0o644, data).unwrap();
        }
        let entries = read(&archive.finish().unwrap());
        prop_assert_eq!(entries.len(), files.len());
        for (entry, (path, data)) in entries.iter().zip(&files) {
            prop_assert_eq!((&entry.path, &entry.data), (path, data));
        }
    }
}

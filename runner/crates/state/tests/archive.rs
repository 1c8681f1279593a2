//! What goes in comes out, and what is there already is not stored again.

use std::fs::{self, File};
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use vmtest_state::sparse::{self, CopyError};
use vmtest_state::{Archive, PAGE, Packed, Packer, StateError};

/// Content that no two numbers have in common, and that cannot be compressed.
fn page(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let word = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..PAGE / 8).map(word).flat_map(u64::to_le_bytes).collect()
}

fn pages(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    let page = |number| match number {
        0 => vec![0; PAGE],
        number => page(number),
    };
    numbers.into_iter().flat_map(page).collect()
}

fn pack(folder: &Path, image: Option<&[u8]>, files: &[(&str, Vec<u8>)]) -> Packed {
    let images = image.map(|image| {
        fs::write(folder.join("image"), image).expect("written");
        "image".to_owned()
    });
    let images: Vec<String> = images.into_iter().collect();
    let mut packer = Packer::new(folder, &images).expect("begun");
    for (name, content) in files {
        let path = folder.join(format!("source-{name}"));
        fs::write(&path, content).expect("written");
        packer.add(name, &path).expect("added");
    }
    packer.finish().expect("finished")
}

fn extract(archive: &Archive, folder: &Path, name: &str) -> Vec<u8> {
    let path = folder.join(format!("copy-{name}"));
    let file = File::create(&path).expect("made");
    archive.extract(name, &file).expect("extracted");
    fs::read(path).expect("read")
}

#[test]
fn what_an_image_or_another_file_has_is_not_stored_again() {
    let folder = tempfile::tempdir().expect("folder");
    let image = pages([1, 2, 3, 4]);
    let files = [
        ("a", pages([0, 2, 3, 10, 11, 0, 4])),
        ("b", pages([10, 11, 12, 1])),
    ];
    let packed = pack(folder.path(), Some(&image), &files);
    let expected = Packed {
        pages: 9,
        from_images: 4,
        stored: 3,
        bytes: 3 * 4096,
    };
    assert_eq!(packed, expected);
    let archive = Archive::open(folder.path()).expect("opened");
    for (name, content) in &files {
        assert!(&extract(&archive, folder.path(), name) == content, "{name}");
    }
}

#[test]
fn blocks_are_compressed_where_that_pays() {
    let folder = tempfile::tempdir().expect("folder");
    let mut content = pages(1..=64);
    content.extend(b"again and again ".repeat(64 * PAGE / 16));
    // No two pages are the same.
    for (number, page) in (0_u64..).zip(content.chunks_mut(PAGE)) {
        page[..8].copy_from_slice(&number.to_le_bytes());
    }
    content.truncate(128 * PAGE - 100);
    let packed = pack(folder.path(), None, &[("mixed", content.clone())]);
    assert_eq!(packed.stored, 128);
    let half = 64 * 4096;
    assert!(
        (half..half + half / 4).contains(&packed.bytes),
        "{} bytes",
        packed.bytes
    );
    let archive = Archive::open(folder.path()).expect("opened");
    assert!(extract(&archive, folder.path(), "mixed") == content);
}

#[test]
fn errors_name_the_archive_and_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    pack(folder.path(), None, &[("a", pages([1]))]);
    let archive = Archive::open(folder.path()).expect("opened");
    let target = tempfile::tempfile().expect("file");
    let error = archive.extract("b", &target).expect_err("there is none");
    let place = folder.path().display();
    assert_eq!(error.to_string(), format!("{place} holds no `b`"));

    fs::write(folder.path().join("state.index"), [2, 0]).expect("written");
    let error = Archive::open(folder.path()).expect_err("another version");
    assert_eq!(
        error.to_string(),
        format!("{place}/state.index cannot be read: it is of version 2, not 1")
    );
    fs::write(folder.path().join("state.index"), [1]).expect("written");
    let error = Archive::open(folder.path()).expect_err("damaged");
    assert!(error.to_string().contains("state.index cannot be read: "));
}

#[test]
fn damaged_blocks_are_noticed() {
    let folder = tempfile::tempdir().expect("folder");
    let content = b"text".repeat(PAGE);
    pack(folder.path(), None, &[("a", content)]);
    let blocks = folder.path().join("state.blocks");
    let length = fs::metadata(&blocks).expect("there").len();
    let file = File::options().write(true).open(&blocks).expect("opened");
    file.set_len(length - 1).expect("cut");
    let archive = Archive::open(folder.path()).expect("opened");
    let target = tempfile::tempfile().expect("file");
    assert!(archive.extract("a", &target).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_goes_in_comes_out(
        image in vec(0_u64..20, 0..30),
        a in vec(0_u64..40, 0..300),
        b in vec(0_u64..40, 0..300),
        cut in 0..PAGE,
    ) {
        let folder = tempfile::tempdir().expect("folder");
        let mut a = pages(a);
        a.truncate(a.len().saturating_sub(cut));
        let files = [("a", a), ("b", pages(b))];
        pack(folder.path(), Some(&pages(image)), &files);
        let archive = Archive::open(folder.path()).expect("opened");
        for (name, content) in &files {
            prop_assert!(&extract(&archive, folder.path(), name) == content);
        }
    }
}

/// A full disk is not the archive's fault.
#[test]
fn the_file_that_fails_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let image = pages([1, 2]);
    let files = [("of-image", pages([1, 2])), ("stored", pages([3]))];
    pack(folder.path(), Some(&image), &files);
    let archive = Archive::open(folder.path()).expect("opened");
    let path = folder.path().join("read-only");
    fs::write(&path, "").expect("written");
    let read_only = File::open(&path).expect("opened");
    for (name, _) in &files {
        let error = archive.extract(name, &read_only).expect_err("read-only");
        assert!(matches!(error, StateError::Target { .. }), "{error:?}");
    }
    let damage = [("of-image", "image"), ("stored", "state.blocks")];
    for (name, damaged) in damage {
        let path = folder.path().join(damaged);
        File::create(&path).expect("made empty");
        let target = File::create(folder.path().join("copy")).expect("made");
        let error = archive.extract(name, &target).expect_err("damaged");
        assert_eq!(error.to_string(), path.display().to_string());
    }
}

#[test]
fn the_side_of_a_copy_that_fails_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("file");
    fs::write(&path, pages([1])).expect("written");
    let read_only = File::open(&path).expect("opened");
    let error = sparse::copy(&read_only, &read_only).expect_err("read-only");
    assert!(matches!(error, CopyError::Write(_)), "{error:?}");
    let write_only = File::options().write(true).open(&path).expect("opened");
    let error = sparse::copy(&write_only, &write_only).expect_err("write-only");
    assert!(matches!(error, CopyError::Read(_)), "{error:?}");
}

use std::io::Write;

use super::*;

/// An ELF file with one segment of notes.
fn elf(notes: &[u8]) -> Vec<u8> {
    let mut elf = vec![0; 0x40 + 0x38];
    elf[..4].copy_from_slice(b"\x7fELF");
    elf[0x20] = 0x40;
    elf[0x36] = 0x38;
    elf[0x38] = 1;
    elf[0x40] = 4;
    elf[0x48] = 0x78;
    elf[0x60] = u8::try_from(notes.len()).expect("short");
    elf.extend_from_slice(notes);
    elf
}

fn note(name: &[u8], kind: u8, description: &[u8]) -> Vec<u8> {
    let mut note = Vec::new();
    for number in [name.len(), description.len(), kind.into()] {
        note.extend_from_slice(&u32::try_from(number).expect("short").to_le_bytes());
    }
    for part in [name, description] {
        note.extend_from_slice(part);
        note.resize(note.len().next_multiple_of(4), 0);
    }
    note
}

/// A bzImage with two setup sectors.
fn image(payload: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 3 * SECTOR];
    image[SETUP_SECTORS] = 2;
    image[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
    image[VERSION..VERSION + 2].copy_from_slice(&0x020f_u16.to_le_bytes());
    image[PAYLOAD_OFFSET] = 16;
    let length = u32::try_from(payload.len()).expect("short");
    image[PAYLOAD_LENGTH..PAYLOAD_LENGTH + 4].copy_from_slice(&length.to_le_bytes());
    image.extend_from_slice(&[0x90; 16]);
    image.extend_from_slice(payload);
    image.extend_from_slice(b"what follows");
    image
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    let mut packed = encoder.finish().expect("compressed");
    packed.extend_from_slice(&[1, 2, 3, 4]);
    packed
}

fn pvh_kernel() -> Vec<u8> {
    let notes = [
        note(b"Linux\0", 1, b"build"),
        note(b"Xen\0", 5, b"x"),
        note(b"Xen\0", 18, &[0, 0, 16, 1]),
    ];
    elf(&notes.concat())
}

#[test]
fn a_kernel_with_a_pvh_entry_comes_out_whatever_it_is_packed_with() {
    let plain = pvh_kernel();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1))
        .expect("writer");
    xz.write_all(&plain).expect("compressed");
    let zstd = ruzstd::encoding::compress_to_vec(
        plain.as_slice(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    for packed in [gzip(&plain), xz.finish().expect("compressed"), zstd] {
        assert_eq!(kernel(&image(&packed)), Ok(plain.clone()));
    }
}

#[test]
fn an_entry_that_only_looks_like_one_does_not_count() {
    for notes in [
        note(b"Xen\0", 17, b"12345678"),
        note(b"Foo\0", 18, b"1234"),
        Vec::new(),
        b"cut".to_vec(),
    ] {
        assert_eq!(
            kernel(&image(&gzip(&elf(&notes)))),
            Err(Packed::NoEntry),
            "{notes:?}"
        );
    }
}

#[test]
fn what_is_no_image_is_left_to_qemu() {
    assert_eq!(kernel(b""), Err(Packed::NotBzImage));
    assert_eq!(kernel(&pvh_kernel()), Err(Packed::NotBzImage));
    let mut old = image(&gzip(&pvh_kernel()));
    old[VERSION..VERSION + 2].copy_from_slice(&0x0207_u16.to_le_bytes());
    assert_eq!(kernel(&old), Err(Packed::NotBzImage));
    let mut cut = image(&gzip(&pvh_kernel()));
    cut.truncate(4 * SECTOR);
    cut[PAYLOAD_LENGTH + 2] = 1;
    assert_eq!(kernel(&cut), Err(Packed::NotBzImage));
}

#[test]
fn a_payload_that_cannot_be_unpacked_is_told_by_its_beginning() {
    let lz4 = [0x02, 0x21, 0x4c, 0x18, 0, 0];
    let error = kernel(&image(&lz4)).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "its payload, which begins with [02, 21, 4c, 18], cannot be unpacked"
    );
    let mut damaged = gzip(&pvh_kernel());
    damaged[20] ^= 0xff;
    let error = kernel(&image(&damaged)).expect_err("damaged");
    assert!(matches!(
        error,
        Packed::UnknownCompression([0x1f, 0x8b, ..])
    ));
    let no_elf = kernel(&image(&gzip(b"a text"))).expect_err("no kernel");
    assert!(matches!(no_elf, Packed::UnknownCompression(_)));
}

#[test]
fn files_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let (from, to) = (folder.path().join("vmlinuz"), folder.path().join("vmlinux"));
    let error = unpack(&from, &to).expect_err("no file");
    assert_eq!(error.to_string(), from.display().to_string());
    fs::write(&from, image(&gzip(&pvh_kernel()))).expect("written");
    assert_eq!(unpack(&from, &to).expect("readable"), Ok(()));
    assert_eq!(fs::read(&to).expect("written"), pvh_kernel());
}

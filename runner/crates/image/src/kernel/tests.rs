use std::io::Write;

use super::*;

/// Where the test's kernel lies, and is entered.
const ADDRESS: u64 = 0x100_0000;
const ENTRY: u64 = 0x100_0004;

/// An ELF file with one segment.
fn elf(machine: u8, address: u64, entry: u64, content: &[u8]) -> Vec<u8> {
    let mut elf = vec![0; 0x40 + 0x38];
    elf[..4].copy_from_slice(b"\x7fELF");
    elf[0x12] = machine;
    elf[0x18..0x20].copy_from_slice(&entry.to_le_bytes());
    elf[0x20] = 0x40;
    elf[0x36] = 0x38;
    elf[0x38] = 1;
    elf[0x40] = 1;
    elf[0x48] = 0x78;
    elf[0x58..0x60].copy_from_slice(&address.to_le_bytes());
    elf[0x60] = u8::try_from(content.len()).expect("short");
    elf.extend_from_slice(content);
    elf
}

/// A bzImage with two setup sectors.
fn image(payload: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 3 * SECTOR];
    image[SETUP_SECTORS] = 2;
    image[MAGIC..MAGIC + 4].copy_from_slice(b"HdrS");
    image[VERSION..VERSION + 2].copy_from_slice(&0x020f_u16.to_le_bytes());
    image[LOAD_FLAGS] = LOADED_HIGH | 0x80;
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

fn good_kernel() -> Vec<u8> {
    elf(62, ADDRESS, ENTRY, b"the kernel")
}

#[test]
fn a_kernel_comes_out_whatever_it_is_packed_with() {
    let plain = good_kernel();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1))
        .expect("writer");
    xz.write_all(&plain).expect("compressed");
    let zstd = ruzstd::encoding::compress_to_vec(
        plain.as_slice(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    for packed in [gzip(&plain), xz.finish().expect("compressed"), zstd] {
        let unpacked = Unpacked::of(&image(&packed)).expect("unpacked");
        assert_eq!((unpacked.entry, &unpacked.kernel), (0x100_0004, &plain));
    }
}

#[test]
fn segments_lie_where_they_are_loaded_to_behind_the_program() {
    let folder = tempfile::tempdir().expect("folder");
    let (from, to) = (folder.path().join("vmlinuz"), folder.path().join("vmlinux"));
    let error = unpack(&from, &to).expect_err("no file");
    assert_eq!(error.to_string(), from.display().to_string());
    let original = image(&gzip(&good_kernel()));
    fs::write(&from, &original).expect("written");
    assert_eq!(unpack(&from, &to).expect("readable"), Ok(()));
    let written = fs::read(&to).expect("written");
    let (setup, loaded) = written.split_at(3 * SECTOR);
    assert_eq!(setup[..SIZE], original[..SIZE]);
    assert_eq!(setup[SIZE + 4..], original[SIZE + 4..3 * SECTOR]);
    let offset = 0x100_0000 - LOAD_ADDRESS;
    assert_eq!(u32_at(setup, SIZE), Some(offset.div_ceil(16) + 1));
    assert_eq!(
        loaded[..entry::LENGTH],
        entry::program(LOAD_ADDRESS, 0x100_0004)
    );
    assert_eq!(&loaded[offset..], b"the kernel");
}

#[test]
fn what_is_no_image_is_left_to_qemu() {
    let refused = |image: &[u8]| Unpacked::of(image).expect_err("refused");
    assert_eq!(refused(b""), Packed::NotBzImage);
    assert_eq!(refused(&good_kernel()), Packed::NotBzImage);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut image = image(&gzip(&good_kernel()));
        change(&mut image);
        refused(&image)
    };
    let old = changed(&|image| image[VERSION] = 0x07);
    let low = changed(&|image| image[LOAD_FLAGS] = 0);
    let cut = changed(&|image| image[PAYLOAD_LENGTH + 2] = 1);
    assert_eq!([old, low, cut], [const { Packed::NotBzImage }; 3]);
}

#[test]
fn kernels_that_cannot_be_entered_so_are_left_to_qemu() {
    let table = [
        ("of another machine", elf(40, ADDRESS, ENTRY, b"the kernel")),
        (
            "entered elsewhere",
            elf(62, ADDRESS, 0x200_0000, b"the kernel"),
        ),
        (
            "where the program is",
            elf(62, 0x10_0000, 0x10_0004, b"the kernel"),
        ),
        ("too high", elf(62, 0xffff_ffff, 0xffff_ffff, b"the kernel")),
        ("nowhere", elf(62, ADDRESS, ENTRY, b"")),
        ("cut", good_kernel()[..0x50].to_vec()),
    ];
    for (what, kernel) in table {
        let error = Unpacked::of(&image(&gzip(&kernel))).expect_err(what);
        assert_eq!(error, Packed::NoEntry, "{what}");
    }
}

#[test]
fn a_payload_that_cannot_be_unpacked_is_told_by_its_beginning() {
    let lz4 = [0x02, 0x21, 0x4c, 0x18, 0, 0];
    let error = Unpacked::of(&image(&lz4)).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "its payload, which begins with [02, 21, 4c, 18], cannot be unpacked"
    );
    let mut damaged = gzip(&good_kernel());
    damaged[20] ^= 0xff;
    for payload in [damaged, gzip(b"a text")] {
        let error = Unpacked::of(&image(&payload)).expect_err("damaged");
        assert!(matches!(
            error,
            Packed::UnknownCompression([0x1f, 0x8b, ..])
        ));
    }
}

//! Load orders over small tables, and every compression.

use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::{Index, Module, ModuleError};

const DEP: &str = "\
kernel/fs/erofs/erofs.ko.xz: kernel/lib/libcrc32c.ko.xz
kernel/lib/libcrc32c.ko.xz:
kernel/arch/x86/crypto/crc32c-intel.ko.xz:
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/block/virtio_blk.ko.zst: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/net/vmw_vsock/vsock.ko.gz:
kernel/net/a.ko: kernel/net/gone.ko
kernel/net/loop-one.ko: kernel/net/loop-two.ko
kernel/net/loop-two.ko: kernel/net/loop-one.ko
kernel/net/late.ko:
";
const BUILTIN: &str = "kernel/fs/ext4/ext4.ko\nkernel/drivers/char/virtio_console.ko\n";
const SOFTDEP: &str = "\
# Soft dependencies extracted from modules themselves.
softdep libcrc32c pre: crc32c not-there
softdep cifs gcm
softdep vsock pre: late post: erofs
softdep late post: vsock
";
const ALIAS: &str = "\
alias crc32c crc32c_intel
alias crc32c crc32c_generic
alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_blk
alias fs-erofs erofs
";

fn index(folder: &Path) -> Index {
    let tables = [
        ("modules.dep", DEP),
        ("modules.builtin", BUILTIN),
        ("modules.softdep", SOFTDEP),
        ("modules.alias", ALIAS),
    ];
    for (name, text) in tables {
        std::fs::write(folder.join(name), text).unwrap();
    }
    Index::open(folder).unwrap()
}

/// The load order as text; soft dependencies are in brackets.
fn order(index: &Index, names: &[&str]) -> String {
    let shown = |module: &Module| match module.required {
        true => module.name.clone(),
        false => format!("({})", module.name),
    };
    match index.closure(names) {
        Ok(modules) => modules.iter().map(shown).collect::<Vec<_>>().join(" "),
        Err(error) => error
            .to_string()
            .replace(index.directory.to_str().unwrap(), "DIR"),
    }
}

#[test]
fn load_orders() {
    let folder = tempfile::tempdir().unwrap();
    let index = index(folder.path());
    let cases: [(&[&str], &str); 10] = [
        (&[], ""),
        (
            &["virtio-blk", "virtio_blk"],
            "virtio virtio_ring virtio_blk",
        ),
        (
            &["erofs", "virtio_blk"],
            "(crc32c_intel) libcrc32c erofs virtio virtio_ring virtio_blk",
        ),
        (&["erofs", "crc32c-intel"], "crc32c_intel libcrc32c erofs"),
        (&["fs-erofs"], "(crc32c_intel) libcrc32c erofs"),
        (&["ext4", "virtio-console"], ""),
        (
            &["vsock"],
            "(late) vsock (crc32c_intel) (libcrc32c) (erofs)",
        ),
        (
            &["virtio_blik"],
            "the kernel in DIR has no module `virtio_blik`; \
             similar ones: virtio_blk, virtio, virtio_ring",
        ),
        (&["a"], "the kernel in DIR has no module `gone`"),
        (
            &["loop_one"],
            "the module `loop_one` in DIR depends on itself",
        ),
    ];
    for (names, expected) in cases {
        assert_eq!(order(&index, names), expected, "{names:?}");
    }
    let paths = index.closure(&["vsock"]).unwrap();
    assert_eq!(
        paths[1].path,
        folder.path().join("kernel/net/vmw_vsock/vsock.ko.gz")
    );
}

#[test]
fn tables_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Index::open(folder.path()).unwrap_err();
    assert!(missing.to_string().contains("modules.dep"), "{missing}");
    std::fs::write(folder.path().join("modules.dep"), "a.ko:\n\nno colon\n").unwrap();
    let bad = Index::open(folder.path()).unwrap_err();
    assert!(matches!(bad, ModuleError::BadLine { line: 3, .. }), "{bad}");
}

#[test]
fn every_compression_is_read() {
    let elf: Vec<u8> = b"\x7fELF"
        .iter()
        .copied()
        .chain((0..=255).cycle().take(300_000))
        .collect();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    xz.write_all(&elf).unwrap();
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&elf).unwrap();
    let zst = ruzstd::encoding::compress_to_vec(
        elf.as_slice(),
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    let files = [
        ("m.ko", elf.clone()),
        ("m.ko.xz", xz.finish().unwrap()),
        ("m.ko.gz", gz.finish().unwrap()),
        ("m.ko.zst", zst),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let module = Module {
            name: "m".to_owned(),
            path: folder.path().join(name),
            required: true,
        };
        std::fs::write(&module.path, &bytes).unwrap();
        assert!(module.read().unwrap() == elf, "{name}");
        std::fs::write(&module.path, &bytes[..bytes.len() / 2]).unwrap();
        if name != "m.ko" {
            let error = module.read().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
        std::fs::write(&module.path, "text").unwrap();
        assert!(module.read().is_err(), "{name}");
    }
}

proptest! {
    /// Modules 0..n, each needing some with smaller numbers.
    #[test]
    fn needs_always_come_first(needs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..4), 1..30)) {
        let needs: Vec<Vec<usize>> = needs
            .iter()
            .enumerate()
            .map(|(own, list)| list.iter().filter(|_| own > 0).map(|index| index.index(own)).collect())
            .collect();
        let mut text = String::new();
        for (own, list) in needs.iter().enumerate() {
            let list: Vec<String> = list.iter().map(|other| format!("m{other}.ko")).collect();
            text += &format!("m{own}.ko: {}\n", list.join(" "));
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("modules.dep"), text).unwrap();
        let last = format!("m{}", needs.len() - 1);
        let modules = Index::open(folder.path()).unwrap().closure(&[&last]).unwrap();
        let position = |name: &str| modules.iter().position(|module| module.name == name);
        prop_assert_eq!(position(&last), Some(modules.len() - 1));
        for (own, list) in needs.iter().enumerate() {
            for other in list {
                if let Some(own) = position(&format!("m{own}")) {
                    let other = position(&format!("m{other}"));
                    prop_assert!(other.is_some_and(|other| other < own));
                }
            }
        }
        prop_assert!(modules.iter().all(|module| module.required));
    }
}

//! Layers made on the spot, and the listing of the tree they merge to.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::{Content, Data, Layer, Tree};

/// A line for each name: mode, owner, what it is.
fn listing(tree: &Tree) -> String {
    let mut text = String::new();
    let mut pending = vec![(String::new(), Tree::ROOT)];
    while let Some((path, id)) = pending.pop() {
        let node = tree.node(id);
        let metadata = &node.metadata;
        let shown =
            match &node.content {
                Content::Directory(entries) => {
                    pending.extend(entries.iter().rev().map(|(name, id)| {
                        (format!("{path}/{}", String::from_utf8_lossy(name)), *id)
                    }));
                    "dir".to_owned()
                }
                Content::File(data) => format!("file {:?}", String::from_utf8_lossy(&bytes(data))),
                Content::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
                Content::CharDevice(number) => format!("char {}:{}", number.major, number.minor),
                Content::BlockDevice(number) => format!("block {}:{}", number.major, number.minor),
                Content::Fifo => "fifo".to_owned(),
                Content::Socket => "socket".to_owned(),
            };
        let path = if path.is_empty() { "/" } else { &path };
        let (mode, uid, gid) = (metadata.mode, metadata.uid, metadata.gid);
        writeln!(
            text,
            "{path} {mode:o} {uid}:{gid} {}.{} {shown}",
            metadata.mtime, metadata.mtime_nsec
        )
        .unwrap();
    }
    text
}

fn bytes(data: &Data) -> Vec<u8> {
    match data {
        Data::Inline(bytes) => bytes.to_vec(),
        Data::Range {
            source,
            offset,
            length,
        } => {
            let mut bytes = vec![0; usize::try_from(*length).unwrap()];
            fs::File::open(source)
                .unwrap()
                .read_exact_at(&mut bytes, *offset)
                .unwrap();
            bytes
        }
    }
}

/// An archive in a folder of its own.
struct Tar {
    folder: tempfile::TempDir,
    builder: Builder<Vec<u8>>,
}

impl Tar {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            builder: Builder::new(Vec::new()),
        }
    }

    fn header(kind: EntryType, mode: u32) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(7);
        header.set_gid(8);
        header.set_mtime(9);
        header.set_size(0);
        header
    }

    fn add(mut self, kind: EntryType, path: &str, mode: u32, data: &str) -> Self {
        let mut header = Self::header(kind, mode);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            self.builder.append_link(&mut header, path, data).unwrap();
        } else {
            header.set_size(data.len() as u64);
            self.builder
                .append_data(&mut header, path, data.as_bytes())
                .unwrap();
        }
        self
    }

    fn device(mut self, kind: EntryType, path: &str, major: u32, minor: u32) -> Self {
        let mut header = Self::header(kind, 0o660);
        header.set_size(0);
        header.set_device_major(major).unwrap();
        header.set_device_minor(minor).unwrap();
        self.builder
            .append_data(&mut header, path, &[][..])
            .unwrap();
        self
    }

    fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.builder
            .append_pax_extensions(records.iter().copied())
            .unwrap();
        self
    }

    fn finish(self) -> (tempfile::TempDir, Layer) {
        let path = self.folder.path().join("layer.tar");
        fs::write(&path, self.builder.into_inner().unwrap()).unwrap();
        (self.folder, Layer::Archive(path))
    }
}

/// A directory layer: names ending in `/` are directories, `*` executables, others files with their name in them,
/// and `a->b` are symlinks.
fn folder(entries: &[&str]) -> (tempfile::TempDir, Layer) {
    let root = tempfile::tempdir().unwrap();
    for entry in entries {
        let (path, target) = entry.split_once("->").unwrap_or((entry, ""));
        let executable = path.ends_with('*');
        let directory = path.ends_with('/');
        let path = root.path().join(path.trim_end_matches('*'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if directory {
            fs::create_dir_all(&path).unwrap();
        } else if target.is_empty() {
            fs::write(&path, path.file_name().unwrap().as_encoded_bytes()).unwrap();
            let mode = if executable { 0o700 } else { 0o600 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        } else {
            symlink(target, path).unwrap();
        }
    }
    let layer = Layer::Tree(root.path().to_owned());
    (root, layer)
}

fn merge(layers: &[Layer]) -> Result<Tree, String> {
    Tree::from_layers(layers).map_err(|error| {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            write!(text, ": {error}").unwrap();
            source = error.source();
        }
        // Without the temporary folder's name.
        let path = error.layer.display().to_string();
        text.replace(&path, "LAYER")
    })
}

#[test]
fn an_archive_keeps_everything() {
    let long = "d/".repeat(60) + &"n".repeat(200);
    let (_folder, layer) = Tar::new()
        .add(EntryType::Directory, "./", 0o755, "")
        .add(EntryType::Directory, "tmp/", 0o1777, "")
        .add(EntryType::Regular, "./bin/su", 0o4755, "binary")
        .add(EntryType::Link, "bin/hard", 0o644, "bin/su")
        .add(EntryType::Symlink, "etc/mtab", 0o777, "../proc/self/mounts")
        .device(EntryType::Char, "dev/null", 1, 3)
        .device(EntryType::Block, "dev/vda", 254, 300)
        .device(EntryType::Fifo, "run/pipe", 0, 0)
        .pax(&[
            ("mtime", b"12.5"),
            ("uid", b"3000000"),
            ("SCHILY.xattr.security.capability", b"\x01\n\0="),
        ])
        .add(EntryType::Regular, "bin/ping", 0o755, "")
        .add(EntryType::Regular, &long, 0o600, "deep")
        .finish();
    let tree = merge(&[layer]).unwrap();
    let expected = "\
/ 755 7:8 9.0 dir
/bin 755 0:0 1.0 dir
/bin/hard 4755 7:8 9.0 file \"binary\"
/bin/ping 755 3000000:8 12.500000000 file \"\"
/bin/su 4755 7:8 9.0 file \"binary\"
";
    let listing = listing(&tree);
    assert!(listing.starts_with(expected), "{listing}");
    for line in [
        "/tmp 1777 7:8 9.0 dir",
        "/etc/mtab 777 7:8 9.0 -> ../proc/self/mounts",
        "/dev/null 660 7:8 9.0 char 1:3",
        "/dev/vda 660 7:8 9.0 block 254:300",
        "/run/pipe 660 7:8 9.0 fifo",
        &format!("/{long} 600 7:8 9.0 file \"deep\""),
    ] {
        assert!(
            listing.lines().any(|other| other == line),
            "{line}\n{listing}"
        );
    }
    assert_eq!(tree.find("bin/su"), tree.find("bin/hard"));
    let xattrs = &tree.node(tree.find("bin/ping").unwrap()).metadata.xattrs;
    assert_eq!(&*xattrs[&b"security.capability"[..]], b"\x01\n\0=");
    assert_eq!(xattrs.len(), 1);
}

#[test]
fn a_tree_over_merged_usr() {
    let (_base, base) = Tar::new()
        .add(EntryType::Symlink, "lib", 0o777, "usr/lib")
        .add(EntryType::Directory, "usr/lib/", 0o750, "")
        .add(EntryType::Directory, "root/", 0o700, "")
        .add(EntryType::Regular, "usr/lib/old", 0o640, "base")
        .add(EntryType::Symlink, "var/run", 0o777, "/run")
        .add(EntryType::Regular, "etc/conf", 0o640, "base")
        .add(EntryType::Symlink, "etc/link", 0o777, "conf")
        .finish();
    let (_over, over) = folder(&[
        "lib/old",
        "lib/tool*",
        "var/run/lock/",
        "root/.ssh/key",
        "etc/conf/part",
        "etc/link",
        "bin->usr/bin",
    ]);
    let tree = merge(&[base, over]).unwrap();
    assert_eq!(
        listing(&tree),
        "\
/ 755 0:0 1.0 dir
/bin 777 0:0 1.0 -> usr/bin
/etc 755 0:0 1.0 dir
/etc/conf 755 0:0 1.0 dir
/etc/conf/part 644 0:0 1.0 file \"part\"
/etc/link 644 0:0 1.0 file \"link\"
/lib 777 7:8 9.0 -> usr/lib
/root 700 7:8 9.0 dir
/root/.ssh 755 0:0 1.0 dir
/root/.ssh/key 644 0:0 1.0 file \"key\"
/run 755 0:0 1.0 dir
/run/lock 755 0:0 1.0 dir
/usr 755 0:0 1.0 dir
/usr/lib 750 7:8 9.0 dir
/usr/lib/old 644 0:0 1.0 file \"old\"
/usr/lib/tool 755 0:0 1.0 file \"tool\"
/var 755 0:0 1.0 dir
/var/run 777 7:8 9.0 -> /run
"
    );
}

#[test]
fn store_paths_go_to_their_own_place() {
    let (store, _) = folder(&["pkg/bin/tool*", "pkg/share/text", "plain", "link->pkg"]);
    let at = |name: &str| store.path().join(name);
    let tree = merge(&[Layer::StorePaths(vec![at("pkg"), at("plain"), at("link")])]).unwrap();
    let shown = listing(&tree).replace(&store.path().display().to_string(), "STORE");
    let inside: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("STORE/"))
        .collect();
    assert_eq!(
        inside,
        [
            "STORE/link 777 0:0 1.0 -> pkg",
            "STORE/pkg 555 0:0 1.0 dir",
            "STORE/pkg/bin 555 0:0 1.0 dir",
            "STORE/pkg/bin/tool 555 0:0 1.0 file \"tool\"",
            "STORE/pkg/share 555 0:0 1.0 dir",
            "STORE/pkg/share/text 444 0:0 1.0 file \"text\"",
            "STORE/plain 444 0:0 1.0 file \"plain\"",
        ]
    );
}

#[test]
fn a_store_has_its_paths_at_the_root() {
    let (store, _) = folder(&["pkg/bin/tool*", "plain"]);
    let at = |name: &str| store.path().join(name);
    let tree = merge(&[Layer::Store(vec![at("pkg"), at("plain")])]).unwrap();
    let expected = "\
/ 755 0:0 1.0 dir
/pkg 555 0:0 1.0 dir
/pkg/bin 555 0:0 1.0 dir
/pkg/bin/tool 555 0:0 1.0 file \"tool\"
/plain 444 0:0 1.0 file \"plain\"
";
    assert_eq!(listing(&tree), expected);
}

#[test]
fn errors_name_layer_and_entry() {
    let tar = |add: fn(Tar) -> Tar| add(Tar::new()).finish();
    let base = || {
        tar(|tar| {
            tar.add(EntryType::Regular, "a/file", 0o644, "")
                .add(EntryType::Symlink, "loop", 0o777, "loop")
                .add(EntryType::Symlink, "to-file", 0o777, "a/file")
        })
    };
    let missing = (
        tempfile::tempdir().unwrap(),
        Layer::Tree(PathBuf::from("/does/not/exist")),
    );
    let cases = [
        (
            folder(&["a"]),
            "layer LAYER, entry `a`: cannot be merged: it would replace a directory that is not empty",
        ),
        (
            folder(&["loop/x"]),
            "layer LAYER, entry `loop`: cannot be merged: more than 40 symlinks on the way",
        ),
        (
            folder(&["to-file/x"]),
            "layer LAYER, entry `to-file`: cannot be merged: a symlink on the way leads to something that is not a directory",
        ),
        (
            tar(|tar| tar.add(EntryType::Link, "b", 0o644, "nowhere")),
            "layer LAYER, entry `b`: cannot be merged: hard link to `nowhere`, which is not there",
        ),
        (
            tar(|tar| tar.add(EntryType::Link, "b", 0o644, "a")),
            "layer LAYER, entry `b`: cannot be merged: hard link to `a`, which is a directory",
        ),
        (
            tar(|tar| tar.add(EntryType::new(b'V'), "label", 0o644, "")),
            "layer LAYER, entry `label`: bad archive: entries of type `V` are not supported",
        ),
        (
            tar(|tar| {
                tar.pax(&[("path", b"../up")])
                    .add(EntryType::Regular, "x", 0o644, "")
            }),
            "layer LAYER, entry `../up`: cannot be merged: the path holds a `..`",
        ),
        (
            tar(|tar| {
                tar.pax(&[("GNU.sparse.major", b"1")])
                    .add(EntryType::Regular, "x", 0o644, "")
            }),
            "layer LAYER, entry `x`: bad archive: sparse files are not supported; make the archive without --sparse",
        ),
        (
            missing,
            "layer LAYER, entry `.`: cannot be read: No such file or directory (os error 2)",
        ),
    ];
    for ((_folder, layer), expected) in cases {
        let (_base, base) = base();
        assert_eq!(merge(&[base, layer]).unwrap_err(), expected);
    }
    let relative = merge(&[Layer::StorePaths(vec![PathBuf::from("x")])]).unwrap_err();
    assert_eq!(
        relative,
        "layer LAYER, entry `.`: a store path must be absolute"
    );
}

#[test]
fn damaged_archives_are_errors() {
    let (folder, layer) = Tar::new()
        .add(EntryType::Regular, "file", 0o644, &"x".repeat(600))
        .finish();
    let Layer::Archive(path) = &layer else {
        unreachable!()
    };
    let whole = fs::read(path).unwrap();
    let fault = |bytes: &[u8]| {
        let path = folder.path().join("damaged.tar");
        fs::write(&path, bytes).unwrap();
        merge(&[Layer::Archive(path)]).unwrap_err()
    };
    // Header, data, and the end's first block: without any of them something may be missing.
    for length in [0, 100, 512, 800, 1024, 1536] {
        let error = fault(&whole[..length]);
        assert_eq!(
            error,
            format!(
                "layer LAYER, entry `.`: bad archive: the archive ends early, at byte {length}"
            )
        );
    }
    let compressed = fault(&[0x1f; 4096]);
    assert!(compressed.ends_with("no tar header at byte 0; is it an uncompressed tar archive?"));
    let mut changed = whole;
    changed[0] ^= 1;
    assert!(fault(&changed).contains("no tar header"));
}

#[test]
fn names_have_a_limit() {
    let mut tree = Tree::default();
    let path = |length: usize| format!("a/{}/b", "n".repeat(length)).into_bytes();
    tree.add_file(&path(255), 0o644, *b"x").unwrap();
    assert!(tree.add_file(&path(256), 0o644, *b"x").is_err());
    assert!(tree.add_file(b"/", 0o644, *b"x").is_err());
    assert_eq!(tree.find(Path::new("/")), Some(Tree::ROOT));
}

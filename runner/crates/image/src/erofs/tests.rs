//! Images of random trees read back, and the corners that random trees do not reach.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use proptest::prelude::*;

use super::reader::{self, Inode};
use super::{ErofsError, ImageInfo, Label, write};
use crate::tree::{Content, Data, DeviceNumber, Existing, Layer, Metadata, Node, Tree};

const LABEL: Label = Label::new("nix-store");

fn image(tree: &Tree) -> (Vec<u8>, ImageInfo) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root.erofs");
    let info = write(tree, LABEL, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    assert_eq!(bytes.len() as u64, info.bytes);
    (bytes, info)
}

/// What an image of the tree must hold, by path; the inode's number is left open.
fn expected(tree: &Tree) -> BTreeMap<Vec<u8>, Inode> {
    let mut links = BTreeMap::new();
    let mut found = BTreeMap::new();
    let mut pending = vec![(Vec::new(), Tree::ROOT)];
    while let Some((path, id)) = pending.pop() {
        *links.entry(id).or_insert(0) += 1;
        let Node { metadata, content } = tree.node(id);
        let (kind, rdev, data) = match content {
            Content::Directory(entries) => {
                for (name, child) in entries {
                    pending.push(([&path[..], b"/", name].concat(), *child));
                    if matches!(tree.node(*child).content, Content::Directory(_)) {
                        *links.entry(id).or_insert(0) += 1;
                    }
                }
                *links.entry(id).or_insert(0) += 1;
                (4, 0, Vec::new())
            }
            Content::File(Data::Inline(bytes)) => (8, 0, bytes.to_vec()),
            Content::File(Data::Range {
                source,
                offset,
                length,
            }) => {
                let mut bytes = vec![0; usize::try_from(*length).unwrap()];
                File::open(source)
                    .unwrap()
                    .read_exact_at(&mut bytes, *offset)
                    .unwrap();
                (8, 0, bytes)
            }
            Content::Symlink(target) => (10, 0, target.to_vec()),
            Content::CharDevice(number) => (2, device_number(*number), Vec::new()),
            Content::BlockDevice(number) => (6, device_number(*number), Vec::new()),
            Content::Fifo => (1, 0, Vec::new()),
            Content::Socket => (12, 0, Vec::new()),
        };
        let inode = Inode {
            nid: 0,
            mode: kind << 12 | metadata.mode,
            links: 0,
            uid: metadata.uid,
            gid: metadata.gid,
            mtime: (metadata.mtime, metadata.mtime_nsec),
            rdev,
            xattrs: metadata
                .xattrs
                .iter()
                .map(|(k, v)| (k.to_vec(), v.to_vec()))
                .collect(),
            data,
        };
        found.insert(path, (id, inode));
    }
    let count = |(path, (id, inode))| {
        (
            path,
            Inode {
                links: links[&id],
                ..inode
            },
        )
    };
    found.into_iter().map(count).collect()
}

/// The numbers used in these tests fit the old encoding.
fn device_number(number: DeviceNumber) -> u32 {
    assert!(number.major < 256 && number.minor < 256);
    number.major << 8 | number.minor
}

fn check(tree: &Tree) -> ImageInfo {
    let (bytes, info) = image(tree);
    let mut found = reader::read(&bytes);
    for inode in found.values_mut() {
        inode.nid = 0;
        if inode.mode >> 12 == 4 {
            inode.data.clear();
        }
    }
    // Not assert_eq: megabytes of data would be printed.
    for (path, inode) in expected(tree) {
        let other = found.remove(&path);
        assert!(
            other.as_ref() == Some(&inode),
            "{}",
            String::from_utf8_lossy(&path)
        );
    }
    assert!(found.is_empty());
    info
}

fn metadata() -> impl Strategy<Value = Metadata> {
    let id = prop_oneof![0u32..70_000, any::<u32>()];
    let time = prop_oneof![Just((1, 0)), (any::<i64>(), 0u32..1_000_000_000)];
    let xattrs = prop::collection::btree_map(
        "user\\.[a-z]{1,20}|security\\.capability",
        any::<Vec<u8>>(),
        0..3,
    );
    (0u16..=0o7777, id.clone(), id, time, xattrs).prop_map(|(mode, uid, gid, time, xattrs)| {
        Metadata {
            mode,
            uid,
            gid,
            mtime: time.0,
            mtime_nsec: time.1,
            xattrs: xattrs
                .into_iter()
                .map(|(k, v)| (k.into_bytes().into(), v.into()))
                .collect(),
        }
    })
}

/// What an object is, or nothing for a directory. Ranges have no source yet.
fn content() -> impl Strategy<Value = Option<Content>> {
    let device = (0u32..256, 0u32..256).prop_map(|(major, minor)| DeviceNumber { major, minor });
    let range = (0u64..1000, 0u64..20_000).prop_map(|(offset, length)| {
        Content::File(Data::Range {
            source: Path::new("").into(),
            offset,
            length,
        })
    });
    let inline = (0usize..9000).prop_map(|length| {
        Content::File(Data::Inline((0..=u8::MAX).cycle().take(length).collect()))
    });
    let symlink = (1usize..4096).prop_map(|length| Content::Symlink(vec![b't'; length].into()));
    prop_oneof![
        4 => range.prop_map(Some),
        2 => inline.prop_map(Some),
        2 => symlink.prop_map(Some),
        2 => Just(None),
        1 => device.clone().prop_map(|number| Some(Content::CharDevice(number))),
        1 => device.prop_map(|number| Some(Content::BlockDevice(number))),
        1 => Just(Some(Content::Fifo)),
        1 => Just(Some(Content::Socket)),
    ]
}

const PATH: &str = "[a-c!.-]{1,3}(/[a-z]{1,200}){0,3}";

prop_compose! {
    fn entries()(
        entries in prop::collection::vec((PATH, metadata(), content()), 0..60),
        hard_links in prop::collection::vec((PATH, any::<prop::sample::Index>()), 0..10),
    ) -> (Vec<(String, Metadata, Option<Content>)>, Vec<(String, prop::sample::Index)>) {
        (entries, hard_links)
    }
}

/// Bytes that differ everywhere, so that misplaced ones are seen.
fn pattern(folder: &Path, length: u32) -> Arc<Path> {
    let path = folder.join("source");
    fs::write(
        &path,
        (0..length / 4)
            .flat_map(|word| word.to_le_bytes())
            .collect::<Vec<u8>>(),
    )
    .unwrap();
    path.into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_trees_are_read_back((entries, hard_links) in entries()) {
        let folder = tempfile::tempdir().unwrap();
        let real = pattern(folder.path(), 40_000);
        let mut tree = Tree::default();
        for (path, metadata, content) in entries.clone() {
            // Entries that do not go together are left out.
            let _ = match content {
                None => tree.place_directory(path.as_bytes(), metadata, Existing::Update),
                Some(mut content) => {
                    if let Content::File(Data::Range { source, .. }) = &mut content {
                        *source = real.clone();
                    }
                    tree.place(path.as_bytes(), Node { metadata, content })
                }
            };
        }
        for (path, target) in &hard_links {
            if !entries.is_empty() {
                let target = &target.get(&entries).0;
                let _ = tree.place_hard_link(path.as_bytes(), target.as_bytes());
            }
        }
        check(&tree);
        prop_assert_eq!(image(&tree), image(&tree));
    }
}

fn file(tree: &mut Tree, path: &str, length: usize) {
    tree.add_file(path.as_bytes(), 0o644, vec![b'x'; length])
        .unwrap();
}

#[test]
fn sizes_around_a_block() {
    let mut tree = Tree::default();
    for length in [
        0, 1, 4031, 4032, 4033, 4063, 4064, 4065, 4095, 4096, 4097, 8160, 8161, 8192,
    ] {
        file(&mut tree, &format!("compact-{length}"), length);
        let metadata = Metadata {
            uid: 70_000,
            ..Metadata::root_owned(0o600)
        };
        let data = vec![b'y'; length].into();
        let node = Node {
            metadata,
            content: Content::File(Data::Inline(data)),
        };
        tree.place(format!("extended-{length}").as_bytes(), node)
            .unwrap();
    }
    check(&tree);
}

#[test]
fn large_directories_and_many_links() {
    let mut tree = Tree::default();
    for number in 0..3000 {
        file(&mut tree, &format!("wide/{number:0>200}"), 0);
        file(&mut tree, &format!("short/{number}"), 1);
    }
    file(&mut tree, "linked", 5);
    for number in 0..66_000 {
        tree.place_hard_link(format!("links/{number}").as_bytes(), b"linked")
            .unwrap();
    }
    assert_eq!(check(&tree).inodes, 1 + 3 + 6000 + 1);
}

#[test]
fn large_attributes() {
    let mut tree = Tree::default();
    for (path, length) in [
        ("a", 4000),
        ("b", 5000),
        ("c", 65_000),
        ("d", 4096 - 64 - 12 - 4 - 1),
    ] {
        let mut metadata = Metadata {
            uid: 70_000,
            ..Metadata::root_owned(0o600)
        };
        metadata
            .xattrs
            .insert((*b"user.a").into(), vec![7; length].into());
        let target = Content::Symlink((*b"target").into());
        tree.place(
            path.as_bytes(),
            Node {
                metadata: metadata.clone(),
                content: target,
            },
        )
        .unwrap();
        let content = Content::File(Data::Inline(vec![1; 5000].into()));
        tree.place(
            format!("{path}-file").as_bytes(),
            Node { metadata, content },
        )
        .unwrap();
    }
    check(&tree);
}

#[test]
fn attributes_that_do_not_fit_name_their_file() {
    let with = |name: &[u8], length: usize| {
        let mut tree = Tree::default();
        let mut metadata = Metadata::root_owned(0o644);
        metadata.xattrs.insert(name.into(), vec![7; length].into());
        tree.place(
            b"etc/file",
            Node {
                metadata,
                content: Content::Fifo,
            },
        )
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("image");
        let error = write(&tree, LABEL, &path).unwrap_err();
        assert!(!path.exists());
        error.to_string()
    };
    assert_eq!(
        with(b"other.name", 1),
        "`/etc/file` has the extended attribute `other.name`, which EROFS cannot hold"
    );
    assert_eq!(
        with(b"user.name", 65_536),
        "`/etc/file` has more extended attributes than EROFS can hold"
    );
}

#[test]
fn a_source_that_shrank_leaves_no_image() {
    for length in [100, 10_000] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), vec![1; length]).unwrap();
        let tree = Tree::from_layers(&[Layer::Tree(folder.path().to_owned())]).unwrap();
        fs::write(folder.path().join("file"), vec![1; length - 1]).unwrap();
        let path = folder.path().join("image");
        let error = write(&tree, LABEL, &path).unwrap_err();
        assert!(
            matches!(&error, ErofsError::Source { path, .. } if path.ends_with("file")),
            "{error}"
        );
        assert!(!path.exists());
    }
}

/// The source is sparse, so only the image takes space.
#[test]
#[ignore = "writes an image of 5 GB and needs fsck.erofs of erofs-utils"]
fn files_and_images_beyond_4_gib() {
    let folder = tempfile::tempdir().unwrap();
    let length = (5 << 30) + 5;
    let source = File::create_new(folder.path().join("large")).unwrap();
    source.set_len(length).unwrap();
    source.write_all_at(b"near the end", length - 12).unwrap();
    fs::write(folder.path().join("small"), vec![b's'; 5000]).unwrap();
    let tree = Tree::from_layers(&[Layer::Tree(folder.path().to_owned())]).unwrap();
    let path = folder.path().join("image");
    let info = write(&tree, LABEL, &path).unwrap();
    fsck(&path);
    // The last five bytes follow the inode. The other seven end the file's blocks, before the block of `small`.
    let mut end = vec![0; 7 + 4096];
    File::open(&path)
        .unwrap()
        .read_exact_at(&mut end, info.bytes - 7 - 4096)
        .unwrap();
    assert_eq!(&end[..7], b"near th");
    assert!(end[7..].iter().all(|byte| *byte == b's'));
}

/// A second opinion on the format, where erofs-utils is installed.
#[test]
#[ignore = "needs fsck.erofs of erofs-utils"]
fn fsck_accepts_images() {
    let folder = tempfile::tempdir().unwrap();
    let mut tree = Tree::default();
    for number in 0..2000_usize {
        file(
            &mut tree,
            &format!("d{}/{number:0>99}", number % 7),
            number * 13 % 9000,
        );
    }
    tree.place(
        b"link",
        Node {
            metadata: Metadata::root_owned(0o777),
            content: Content::Symlink((*b"d0").into()),
        },
    )
    .unwrap();
    let path = folder.path().join("image");
    write(&tree, LABEL, &path).unwrap();
    fsck(&path);
}

fn fsck(image: &Path) {
    let output = Command::new("fsck.erofs").arg(image).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

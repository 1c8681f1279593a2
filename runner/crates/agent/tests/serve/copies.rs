//! Copies of files and trees, in both directions.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tar::{Archive, Builder};
use tempfile::TempDir;
use vmtest_protocol::{CHUNK, Failure, Outcome, RequestId, ToGuest, ToHost, WINDOW};

use crate::host::Host;

fn folder() -> TempDir {
    tempfile::tempdir().expect("temporary folder")
}

fn path(path: impl AsRef<Path>) -> String {
    path.as_ref().display().to_string()
}

fn put(host: &mut Host, target: &str, archive: &[u8]) -> Result<Outcome, Failure> {
    let id = host.id();
    let target = target.into();
    host.send(&ToGuest::Put { id, target });
    let mut credit = WINDOW;
    for piece in archive.chunks(CHUNK) {
        while credit < piece.len() as u64 {
            match host.next_of(id) {
                ToHost::Credit(_, more) => credit += more,
                ToHost::Done(_, end) => return end,
                other => panic!("no part of a put: {other:?}"),
            }
        }
        credit -= piece.len() as u64;
        host.send(&ToGuest::Data(id, piece.to_vec()));
    }
    host.send(&ToGuest::Data(id, vec![]));
    end(host, id).1
}

/// The data of a request, and its end.
fn end(host: &mut Host, id: RequestId) -> (Vec<u8>, Result<Outcome, Failure>) {
    let mut received = Vec::new();
    loop {
        match host.next_of(id) {
            ToHost::Data(_, data) => received.extend(data),
            ToHost::Credit(..) => {}
            ToHost::Done(_, end) => return (received, end),
            other => panic!("no part of a copy: {other:?}"),
        }
    }
}

fn get(host: &mut Host, source: &str) -> (Vec<u8>, Result<Outcome, Failure>) {
    let id = host.id();
    let source = source.into();
    host.send(&ToGuest::Get { id, source });
    end(host, id)
}

fn archive(name: &str, source: &Path) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    builder.follow_symlinks(false);
    if source.is_dir() {
        builder.append_dir_all(name, source).expect("packed");
    } else {
        builder.append_path_with_name(source, name).expect("packed");
    }
    builder.into_inner().expect("packed")
}

/// Bytes that differ from place to place.
fn pattern(length: usize) -> Vec<u8> {
    (0u32..).flat_map(u32::to_le_bytes).take(length).collect()
}

/// A file larger than all that may wait on the way.
fn big(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("big");
    fs::write(&path, pattern(8_000_000)).expect("written");
    path
}

fn fill(tree: &Path) {
    fs::create_dir_all(tree.join("sub/empty")).expect("made");
    fs::write(tree.join("script"), "#!/bin/sh\n").expect("written");
    fs::set_permissions(tree.join("script"), PermissionsExt::from_mode(0o4750)).expect("set");
    fs::write(tree.join("sub/big"), pattern(3_000_000)).expect("written");
    let long = tree.join("sub").join("n".repeat(200));
    fs::write(long, "long").expect("written");
    symlink("../script", tree.join("sub/link")).expect("made");
    fs::set_permissions(tree.join("sub/empty"), PermissionsExt::from_mode(0o555)).expect("set");
}

fn check(tree: &Path) {
    let mode = |name: &str| fs::metadata(tree.join(name)).expect("there").mode() & 0o7777;
    assert_eq!((mode("script"), mode("sub/empty")), (0o4750, 0o555));
    assert!(fs::read(tree.join("sub/big")).expect("read") == pattern(3_000_000));
    assert_eq!(
        fs::read(tree.join("sub").join("n".repeat(200))).expect("read"),
        b"long"
    );
    let target = fs::read_link(tree.join("sub/link")).expect("a link");
    assert_eq!(path(target), "../script");
}

#[test]
fn a_tree_is_put_with_modes_and_links() {
    let (source, target) = (folder(), folder());
    fill(&source.path().join("tree"));
    let archive = archive("tree", &source.path().join("tree"));
    let deep = target.path().join("made/on/the/way");
    let mut host = Host::new();
    assert_eq!(
        put(&mut host, &path(&deep), &archive),
        Ok(Outcome::Complete)
    );
    check(&deep.join("tree"));
    // Again, over what is there.
    assert_eq!(
        put(&mut host, &path(&deep), &archive),
        Ok(Outcome::Complete)
    );
    check(&deep.join("tree"));
}

#[test]
fn a_tree_is_got_under_its_own_name() {
    let (source, target) = (folder(), folder());
    fill(&source.path().join("tree"));
    let (data, end) = get(&mut Host::new(), &path(source.path().join("tree")));
    assert_eq!(end, Ok(Outcome::Complete));
    let mut archive = Archive::new(data.as_slice());
    archive.set_preserve_permissions(true);
    archive.unpack(target.path()).expect("unpacked");
    check(&target.path().join("tree"));
}

#[test]
fn a_link_to_a_file_is_followed() {
    let source = folder();
    fs::write(source.path().join("file"), "content").expect("written");
    symlink("file", source.path().join("link")).expect("made");
    let (data, _) = get(&mut Host::new(), &path(source.path().join("link")));
    let target = folder();
    Archive::new(data.as_slice())
        .unpack(target.path())
        .expect("unpacked");
    let copy = target.path().join("link");
    assert!(copy.symlink_metadata().expect("there").is_file());
    assert_eq!(fs::read(copy).expect("read"), b"content");
}

#[test]
fn holes_stay_holes() {
    let (source, target) = (folder(), folder());
    let file = fs::File::create(source.path().join("holes")).expect("made");
    file.set_len(64 * 1024 * 1024).expect("grown");
    let (data, end) = get(&mut Host::new(), &path(source.path().join("holes")));
    assert_eq!(end, Ok(Outcome::Complete));
    assert!(data.len() < 1024 * 1024, "{} bytes", data.len());
    assert_eq!(
        put(&mut Host::new(), &path(target.path()), &data),
        Ok(Outcome::Complete)
    );
    let copy = fs::metadata(target.path().join("holes")).expect("there");
    assert_eq!(copy.len(), 64 * 1024 * 1024);
    assert!(copy.blocks() < 1024, "{} blocks", copy.blocks());
}

#[test]
fn files_of_the_kernel_come_with_their_content() {
    let (data, end) = get(&mut Host::new(), "/proc/self/limits");
    assert_eq!(end, Ok(Outcome::Complete));
    let target = folder();
    Archive::new(data.as_slice())
        .unpack(target.path())
        .expect("unpacked");
    let text = fs::read_to_string(target.path().join("limits")).expect("text");
    assert!(text.starts_with("Limit "), "{text}");
}

#[test]
fn failures_name_the_path() {
    let mut host = Host::new();
    let target = folder();
    fs::write(target.path().join("file"), "").expect("written");
    let (_, missing) = get(&mut host, "/no/such/file");
    let (_, relative) = get(&mut host, "file");
    let onto_file = put(&mut host, &path(target.path().join("file")), &[0; 1024]);
    let cut = &archive("cut", &big(&target))[..2000];
    let cut = put(&mut host, &path(target.path()), cut);
    let said = |end: Result<Outcome, Failure>| end.expect_err("a failure").0;
    let missing = said(missing);
    assert_eq!(
        missing,
        "cannot copy /no/such/file: No such file or directory (os error 2)"
    );
    assert_eq!(
        said(relative),
        "\"file\" is not the absolute path of a file"
    );
    let onto_file = said(onto_file);
    let prefix = format!("cannot copy to {}: ", path(target.path().join("file")));
    assert!(onto_file.starts_with(&prefix), "{onto_file}");
    assert!(said(cut).contains("/cut"));
}

#[test]
fn more_than_the_credit_is_a_failure() {
    let mut host = Host::new();
    let folder = folder();
    let (id, target) = (host.id(), path(folder.path()));
    host.send(&ToGuest::Put { id, target });
    let too_much = usize::try_from(WINDOW).expect("fits") + 1;
    host.send(&ToGuest::Data(id, vec![0; too_much]));
    let failure = end(&mut host, id).1.expect_err("a failure");
    assert!(
        failure.0.contains("more than it was given credit for"),
        "{failure}"
    );
}

#[test]
fn a_cancelled_copy_ends() {
    let mut host = Host::new();
    let folder = folder();
    let (id, target) = (host.id(), path(folder.path()));
    host.send(&ToGuest::Put { id, target });
    let part = archive("file", &big(&folder))[..1024].to_vec();
    host.send(&ToGuest::Data(id, part));
    // It has begun: requests are taken in their order.
    assert_eq!(host.run("true").code(), 0);
    host.send(&ToGuest::Cancel(id));
    assert_eq!(end(&mut host, id).1, Ok(Outcome::Cancelled));
    // A copy from the guest that nobody reads, likewise.
    let (id, source) = (host.id(), path(big(&folder)));
    host.send(&ToGuest::Get { id, source });
    assert!(matches!(host.next_of(id), ToHost::Data(..)));
    host.send(&ToGuest::Cancel(id));
    let (data, outcome) = end(&mut host, id);
    assert_eq!(outcome, Ok(Outcome::Cancelled), "{} bytes", data.len());
}

#[test]
fn a_copy_that_waits_does_not_hold_up_commands() {
    let mut host = Host::new();
    let folder = folder();
    let (id, target) = (host.id(), path(folder.path()));
    host.send(&ToGuest::Put { id, target });
    assert_eq!(host.run("echo on").text(), "on\n");
    host.send(&ToGuest::Data(id, vec![]));
    assert_eq!(end(&mut host, id).1, Ok(Outcome::Complete));
}

//! Files and trees in and out of a guest, as tar streams over the agent's channel.
//!
//! The archive is made and unpacked by blocking code on a thread of its own; chunks go between it and the channel.

use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use vmtest_protocol::{CHUNK, Outcome, ToGuest, WINDOW};
use vmtest_script::backend::MachineErrorKind as Failure;

use super::agent::{Reply, Request};
use super::handle::{Handle, refused};

/// Chunks that wait between the channel and the archive.
const QUEUE: usize = 8;

/// Parts a path in the guest into its folder and its last name.
pub(super) fn split(target: &str) -> Result<(String, String), Failure> {
    let refuse = |reason: &str| Failure::Refused {
        reason: format!("cannot copy to `{target}`: {reason}"),
    };
    let path = target.trim_end_matches('/');
    let (folder, name) = path
        .rsplit_once('/')
        .ok_or_else(|| refuse("it is not an absolute path"))?;
    if !target.starts_with('/') {
        return Err(refuse("it is not an absolute path"));
    }
    if matches!(name, "" | "." | "..") {
        return Err(refuse("it names no file"));
    }
    Ok((
        if folder.is_empty() {
            "/".to_owned()
        } else {
            folder.to_owned()
        },
        name.to_owned(),
    ))
}

/// Sends `source` under the name `name`.
pub(super) async fn send(
    handle: &Handle,
    mut request: Request,
    source: &Path,
    name: &str,
) -> Result<(), Failure> {
    let (sender, mut chunks) = mpsc::channel(QUEUE);
    let (path, name) = (source.to_owned(), name.to_owned());
    let packer = spawn_blocking(move || pack(&path, &name, sender));
    let mut credit = WINDOW;
    let id = request.id;
    while let Some(chunk) = chunks.recv().await {
        while credit < chunk.len() as u64 {
            match request.next().await {
                Some(Reply::Credit(more)) => credit += more,
                Some(Reply::Done(result)) => return Err(refused(result)),
                Some(_) => {}
                None => return Err(handle.lost().await),
            }
        }
        credit -= chunk.len() as u64;
        if !request.send(&ToGuest::Data(id, chunk)).await {
            return Err(handle.lost().await);
        }
    }
    let packed = packer
        .await
        .map_err(io::Error::other)
        .and_then(|packed| packed);
    packed.map_err(|error| Failure::Refused {
        reason: format!("cannot copy {}: {error}", source.display()),
    })?;
    if !request.send(&ToGuest::Data(id, Vec::new())).await {
        return Err(handle.lost().await);
    }
    finish(handle, &mut request).await
}

/// Receives what the agent sends, into the folder `target`.
pub(super) async fn receive(
    handle: &Handle,
    mut request: Request,
    target: &Path,
) -> Result<(), Failure> {
    let (sender, chunks) = mpsc::channel(QUEUE);
    let folder = target.to_owned();
    let unpacker = spawn_blocking(move || unpack(chunks, &folder));
    let outcome = loop {
        match request.next().await {
            // An unpacker that is gone says why below.
            Some(Reply::Data(bytes)) => drop(sender.send(bytes).await),
            Some(Reply::Done(result)) => break result,
            Some(_) => {}
            None => return Err(handle.lost().await),
        }
    };
    drop(sender);
    let unpacked = unpacker
        .await
        .map_err(io::Error::other)
        .and_then(|unpacked| unpacked);
    match outcome {
        Ok(Outcome::Complete) => unpacked.map_err(|error| Failure::Refused {
            reason: format!("cannot write below {}: {error}", target.display()),
        }),
        outcome => Err(refused(outcome)),
    }
}

async fn finish(handle: &Handle, request: &mut Request) -> Result<(), Failure> {
    loop {
        match request.next().await {
            Some(Reply::Done(Ok(Outcome::Complete))) => return Ok(()),
            Some(Reply::Done(outcome)) => return Err(refused(outcome)),
            Some(_) => {}
            None => return Err(handle.lost().await),
        }
    }
}

fn pack(source: &Path, name: &str, sender: mpsc::Sender<Vec<u8>>) -> io::Result<()> {
    let writer = BufWriter::with_capacity(CHUNK, ChunkWriter(sender));
    let mut archive = tar::Builder::new(writer);
    // The source itself may be a link.
    let root = source.canonicalize()?;
    let mut waiting = vec![Entry {
        path: root.clone(),
        name: PathBuf::from(name),
        inside: [root.clone()].into(),
    }];
    while let Some(entry) = waiting.pop() {
        let Entry { path, name, .. } = &entry;
        let failed = |error: io::Error| io::Error::other(format!("{}: {error}", path.display()));
        match Kind::of(path, &root).map_err(failed)? {
            Kind::Link(target) => {
                let mut header = tar::Header::new_gnu();
                header.set_metadata(&path.symlink_metadata().map_err(failed)?);
                archive.append_link(&mut header, name, target)?;
            }
            Kind::Content(meant) if meant.is_dir() => {
                archive.append_dir(name, path).map_err(failed)?;
                let inside = entry.followed(&meant).map_err(failed)?;
                for found in fs::read_dir(path).map_err(failed)? {
                    let found = found.map_err(failed)?.file_name();
                    waiting.push(Entry {
                        path: path.join(&found),
                        name: name.join(&found),
                        inside: Arc::clone(&inside),
                    });
                }
            }
            Kind::Content(_) => {
                let mut file = fs::File::open(path).map_err(failed)?;
                archive.append_file(name, &mut file).map_err(failed)?;
            }
        }
    }
    archive.into_inner()?.flush()
}

/// Something to pack.
struct Entry {
    path: PathBuf,
    name: PathBuf,
    /// The folders that links have led into on the way, the first of them the source.
    inside: Arc<[PathBuf]>,
}

impl Entry {
    /// The folders that its own entries are in, when it means this one.
    fn followed(&self, meant: &Path) -> io::Result<Arc<[PathBuf]>> {
        if !self.path.is_symlink() {
            return Ok(Arc::clone(&self.inside));
        }
        if self.inside.iter().any(|folder| folder.starts_with(meant)) {
            return Err(io::Error::other("the link leads back to where it lies"));
        }
        let inside = self.inside.iter().cloned();
        Ok(inside.chain([meant.to_owned()]).collect())
    }
}

/// How something is packed.
enum Kind {
    /// As a link to this: one that will mean the same in the guest, since it stays in the tree, or that means nothing here
    /// either.
    Link(PathBuf),
    /// As what is found there. Other links lead to what the guest does not have, such as the host's store.
    Content(PathBuf),
}

impl Kind {
    fn of(path: &Path, root: &Path) -> io::Result<Self> {
        let meant = path.canonicalize();
        let Ok(target) = fs::read_link(path) else {
            return meant.map(Self::Content);
        };
        Ok(match meant {
            Ok(meant) if target.is_absolute() || !meant.starts_with(root) => Self::Content(meant),
            _ => Self::Link(target),
        })
    }
}

fn unpack(chunks: mpsc::Receiver<Vec<u8>>, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut reader = ChunkReader {
        chunks,
        chunk: Vec::new(),
        read: 0,
    };
    tar::Archive::new(&mut reader).unpack(folder)?;
    // The archive's padding belongs to the stream, too.
    io::copy(&mut reader, &mut io::sink()).map(drop)
}

struct ChunkWriter(mpsc::Sender<Vec<u8>>);

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = &bytes[..bytes.len().min(CHUNK)];
        self.0
            .blocking_send(chunk.to_vec())
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(chunk.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct ChunkReader {
    chunks: mpsc::Receiver<Vec<u8>>,
    chunk: Vec<u8>,
    read: usize,
}

impl Read for ChunkReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.chunk.len() {
            match self.chunks.blocking_recv() {
                Some(chunk) => (self.chunk, self.read) = (chunk, 0),
                None => return Ok(0),
            }
        }
        let count = (&self.chunk[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_parted() {
        let part = |target| split(target).map_err(|failure| failure.to_string());
        assert_eq!(part("/tmp/file"), Ok(("/tmp".into(), "file".into())));
        assert_eq!(part("/file"), Ok(("/".into(), "file".into())));
        assert_eq!(part("/tmp/tree/"), Ok(("/tmp".into(), "tree".into())));
        for wrong in ["file", "tmp/file", "/", "/tmp/..", ""] {
            assert!(
                part(wrong)
                    .expect_err(wrong)
                    .contains(&format!("`{wrong}`"))
            );
        }
    }

    #[test]
    fn a_tree_survives_the_way() {
        let (from, to) = (
            tempfile::tempdir().expect("folder"),
            tempfile::tempdir().expect("folder"),
        );
        fs::create_dir(from.path().join("sub")).expect("folder");
        fs::write(from.path().join("sub/large"), vec![7; 3 * CHUNK + 5]).expect("file");
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, from.path().join(name)).expect("link");
        };
        link(Path::new("sub/large"), "link");
        link(Path::new("no/such"), "dangling");
        let outside = tempfile::NamedTempFile::new().expect("file");
        fs::write(outside.path(), "outside").expect("file");
        link(outside.path(), "out");
        link(&from.path().join("sub"), "absolute");
        let (sender, chunks) = mpsc::channel(QUEUE);
        std::thread::scope(|scope| {
            scope.spawn(|| pack(from.path(), "tree", sender).expect("packed"));
            unpack(chunks, to.path()).expect("unpacked");
        });
        assert_eq!(
            fs::read(to.path().join("tree/sub/large")).expect("file"),
            vec![7; 3 * CHUNK + 5]
        );
        assert_eq!(
            fs::read_link(to.path().join("tree/link"))
                .expect("link")
                .to_str(),
            Some("sub/large")
        );
        assert!(to.path().join("tree/dangling").is_symlink());
        let out = to.path().join("tree/out");
        assert!(!out.is_symlink());
        assert_eq!(fs::read(out).expect("file"), b"outside");
        assert!(!to.path().join("tree/absolute").is_symlink());
        assert!(to.path().join("tree/absolute/large").is_file());
    }

    #[test]
    fn links_that_go_round_are_refused() {
        let [from, other, to] = [(); 3].map(|()| tempfile::tempdir().expect("folder"));
        let tree = from.path().join("tree");
        fs::create_dir(&tree).expect("folder");
        let link = |target: &Path, place: &Path| {
            std::os::unix::fs::symlink(target, place).expect("link");
        };
        link(other.path(), &tree.join("there"));
        link(&tree, &other.path().join("back"));
        let (sender, chunks) = mpsc::channel(QUEUE);
        std::thread::scope(|scope| {
            scope.spawn(|| drop(unpack(chunks, to.path())));
            let error = pack(&tree, "tree", sender).expect_err("it goes round");
            let text = error.to_string();
            assert!(
                text.contains("tree/there/back: the link leads back"),
                "{text}"
            );
        });
    }
}

//! Copies from the guest: a file or tree as a tar stream.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};
use vmtest_protocol::{Failure, Outcome, ToHost};

use super::command::PIECE;
use super::task::{Stopped, Task};

/// Files without blocks of their own up to this size are read before they are described: those of `/proc` and `/sys` do
/// not tell their size.
const UNTOLD: u64 = 64 * 1024;

/// Sends `source`; the names in the archive begin with its last part.
pub(super) fn get(task: &Task, source: &str) -> Result<Outcome, Failure> {
    let mut stream = Stream {
        task,
        buffer: Vec::with_capacity(PIECE),
    };
    let packed = pack(&mut stream, Path::new(source));
    match (task.check(), packed) {
        (Err(Stopped(outcome)), _) => Ok(outcome),
        (Ok(()), Ok(())) => Ok(Outcome::Complete),
        (Ok(()), Err(failure)) => Err(failure),
    }
}

fn pack(stream: &mut Stream<'_>, source: &Path) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: io::Error| Failure(format!("cannot copy {path}: {error}"))
    };
    let name = source.file_name().filter(|_| source.is_absolute());
    let name =
        name.ok_or_else(|| Failure(format!("{source:?} is not the absolute path of a file")))?;
    let metadata = fs::metadata(source).map_err(failed(source))?;
    let mut archive = Builder::new(&mut *stream);
    let mut waiting = vec![(source.to_owned(), PathBuf::from(name), metadata)];
    while let Some((path, name, metadata)) = waiting.pop() {
        append(&mut archive, &path, &name, &metadata).map_err(failed(&path))?;
        if metadata.is_dir() {
            for entry in fs::read_dir(&path).map_err(failed(&path))? {
                let entry = entry.map_err(failed(&path))?;
                match entry.metadata() {
                    Ok(metadata) => {
                        waiting.push((entry.path(), name.join(entry.file_name()), metadata))
                    }
                    // Gone in the meantime.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(&entry.path())(error)),
                }
            }
        }
    }
    archive.finish().map_err(failed(source))?;
    drop(archive);
    stream.flush().map_err(failed(source))
}

fn append(
    archive: &mut Builder<impl Write>,
    path: &Path,
    name: &Path,
    metadata: &Metadata,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_metadata(metadata);
    let kind = metadata.file_type();
    if kind.is_symlink() {
        archive.append_link(&mut header, name, fs::read_link(path)?)
    } else if kind.is_socket() {
        // Nothing of it could be used elsewhere.
        Ok(())
    } else if kind.is_file() {
        append_file(archive, path, name, header)
    } else {
        header.set_size(0);
        archive.append_data(&mut header, name, io::empty())
    }
}

fn append_file(
    archive: &mut Builder<impl Write>,
    path: &Path,
    name: &Path,
    mut header: Header,
) -> io::Result<()> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.blocks() == 0 && metadata.len() <= UNTOLD {
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_slice())
    } else if metadata.blocks() * 512 < metadata.len() {
        // With its holes.
        archive.append_file(name, &mut file)
    } else {
        // As long as was said, though the file may grow or shrink meanwhile.
        header.set_entry_type(EntryType::Regular);
        header.set_size(metadata.len());
        let content = file.chain(io::repeat(0)).take(metadata.len());
        archive.append_data(&mut header, name, content)
    }
}

/// Sends what is written to it in pieces.
struct Stream<'a> {
    task: &'a Task,
    buffer: Vec<u8>,
}

impl Write for Stream<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = data.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(&data[..length]);
        if self.buffer.len() == PIECE {
            self.flush()?;
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        let data = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        if data.is_empty() {
            return Ok(());
        }
        let sent = self.task.send(&ToHost::Data(self.task.id, data));
        sent.map_err(|_| io::Error::other("cancelled"))
    }
}

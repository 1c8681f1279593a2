//! Layers that are tar archives.
//!
//! Only the headers are decoded by the `tar` crate. The records between them are walked here, because an extended
//! attribute's value may hold any byte (`security.capability` does), and the crate splits PAX records at line feeds
//! instead of by their length.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use tar::{EntryType, Header};

use super::layer::LayerFault;
use super::{Content, Data, DeviceNumber, Existing, LayerError, Metadata, Node, Tree};
use pax::Records;

mod pax;

/// Tar's unit: headers have this size and data is padded to it.
const RECORD: u64 = 512;

/// Largest extension record (long name, PAX header) that is read into memory, in bytes: attributes have at most
/// 64 KiB each.
const MAX_EXTENSION: u64 = 16 << 20;

/// What can be wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// No header where one must be.
    #[error("no tar header at byte {0}; is it an uncompressed tar archive?")]
    NotTar(u64),
    /// The file ends within an entry, or without the mark that ends an archive.
    #[error("the archive ends early, at byte {0}")]
    Truncated(u64),
    /// A header field that cannot be decoded.
    #[error("bad header field")]
    Field(#[source] io::Error),
    /// A PAX record that cannot be decoded.
    #[error("bad extended header record `{0}`")]
    Pax(String),
    /// Too large an extended header.
    #[error("an extended header of {0} bytes")]
    ExtensionTooLarge(u64),
    /// A kind of entry that trees do not have.
    #[error("entries of type `{0}` are not supported")]
    Type(char),
    /// Files stored without their holes.
    #[error("sparse files are not supported; make the archive without --sparse")]
    Sparse,
}

pub(super) fn merge(tree: &mut Tree, path: &Path) -> Result<(), LayerError> {
    let outside = |fault| LayerError::new(path, Path::new(""), fault);
    let mut members = Members::open(path).map_err(|error| outside(error.into()))?;
    let source: Arc<Path> = path.into();
    while let Some(member) = members.next().map_err(outside)? {
        let entry = Path::new(OsStr::from_bytes(&member.path));
        insert(tree, &source, &member).map_err(|fault| LayerError::new(path, entry, fault))?;
    }
    Ok(())
}

/// An entry with what the extended headers before it say of it.
struct Member {
    header: Header,
    path: Vec<u8>,
    link: Vec<u8>,
    /// First byte of the data in the archive.
    offset: u64,
    size: u64,
    extended: Records,
}

fn insert(tree: &mut Tree, source: &Arc<Path>, member: &Member) -> Result<(), LayerFault> {
    let header = &member.header;
    let extended = &member.extended;
    if extended.sparse {
        return Err(ArchiveError::Sparse.into());
    }
    let field = ArchiveError::Field;
    let owner = |id: u64| {
        u32::try_from(id).map_err(|error| field(io::Error::new(io::ErrorKind::InvalidData, error)))
    };
    let (mtime, mtime_nsec) = match extended.mtime {
        Some(time) => time,
        None => (header.mtime().map_err(field)?.cast_signed(), 0),
    };
    let metadata = Metadata {
        mode: u16::try_from(header.mode().map_err(field)? & 0o7777).unwrap_or(0),
        uid: owner(
            extended
                .uid
                .map_or_else(|| header.uid(), Ok)
                .map_err(field)?,
        )?,
        gid: owner(
            extended
                .gid
                .map_or_else(|| header.gid(), Ok)
                .map_err(field)?,
        )?,
        mtime,
        mtime_nsec,
        xattrs: extended.xattrs.clone(),
    };
    let device = || -> Result<DeviceNumber, ArchiveError> {
        let major = header.device_major().map_err(field)?.unwrap_or(0);
        let minor = header.device_minor().map_err(field)?.unwrap_or(0);
        Ok(DeviceNumber { major, minor })
    };
    let content = match header.entry_type() {
        // Before POSIX, a directory was a file whose name ends in a slash.
        EntryType::Regular if member.path.ends_with(b"/") => Content::Directory(BTreeMap::new()),
        EntryType::Regular | EntryType::Continuous => Content::File(Data::Range {
            source: source.clone(),
            offset: member.offset,
            length: member.size,
        }),
        EntryType::Directory => Content::Directory(BTreeMap::new()),
        EntryType::Symlink => Content::Symlink(member.link.as_slice().into()),
        EntryType::Char => Content::CharDevice(device()?),
        EntryType::Block => Content::BlockDevice(device()?),
        EntryType::Fifo => Content::Fifo,
        EntryType::Link => return Ok(tree.place_hard_link(&member.path, &member.link)?),
        EntryType::GNUSparse => return Err(ArchiveError::Sparse.into()),
        other => return Err(ArchiveError::Type(char::from(other.as_byte())).into()),
    };
    if let Content::Directory(_) = content {
        tree.place_directory(&member.path, metadata, Existing::Update)?;
    } else {
        tree.place(&member.path, Node { metadata, content })?;
    }
    Ok(())
}

/// The entries of an archive, in order; data is skipped.
struct Members {
    reader: BufReader<File>,
    position: u64,
    length: u64,
    global: Records,
}

impl Members {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            reader: BufReader::new(file),
            position: 0,
            length,
            global: Records::default(),
        })
    }

    fn next(&mut self) -> Result<Option<Member>, LayerFault> {
        let mut extended = self.global.clone();
        let mut long_path = None;
        let mut long_link = None;
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = match extended.size {
                Some(size) if !is_extension(header.entry_type()) => size,
                _ => header.entry_size().map_err(ArchiveError::Field)?,
            };
            match header.entry_type() {
                EntryType::GNULongName => long_path = Some(name(self.extension(size)?)),
                EntryType::GNULongLink => long_link = Some(name(self.extension(size)?)),
                EntryType::XHeader => extended.read(&self.extension(size)?)?,
                EntryType::XGlobalHeader => {
                    let records = self.extension(size)?;
                    self.global.read(&records)?;
                    extended.read(&records)?;
                }
                _ => {
                    let offset = self.position;
                    self.skip_data(offset, size)?;
                    let path = extended.path.take().or(long_path);
                    let link = extended.link.take().or(long_link);
                    let link = link.or_else(|| header.link_name_bytes().map(Cow::into_owned));
                    return Ok(Some(Member {
                        path: path.unwrap_or_else(|| header.path_bytes().into_owned()),
                        link: link.unwrap_or_default(),
                        header,
                        offset,
                        size,
                        extended,
                    }));
                }
            }
        }
    }

    /// The next header; none at the mark that ends the archive.
    fn header(&mut self) -> Result<Option<Header>, LayerFault> {
        let at = self.position;
        let mut header = Header::new_old();
        self.read(header.as_mut_bytes())?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The checksum counts its own eight bytes as spaces.
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let sum = sum(&bytes[..148]) + 8 * u32::from(b' ') + sum(&bytes[156..]);
        match header.cksum() {
            Ok(written) if written == sum => Ok(Some(header)),
            _ => Err(ArchiveError::NotTar(at).into()),
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, LayerFault> {
        let length = usize::try_from(size).ok().filter(|_| size <= MAX_EXTENSION);
        let mut bytes = vec![0; length.ok_or(ArchiveError::ExtensionTooLarge(size))?];
        let start = self.position;
        self.read(&mut bytes)?;
        self.skip_data(start, size)?;
        Ok(bytes)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), LayerFault> {
        let end = self.position + bytes.len() as u64;
        if end > self.length {
            return Err(ArchiveError::Truncated(self.length).into());
        }
        self.reader.read_exact(bytes)?;
        self.position = end;
        Ok(())
    }

    /// Goes to the header after the data of `size` bytes at `start`.
    fn skip_data(&mut self, start: u64, size: u64) -> Result<(), LayerFault> {
        let truncated = || ArchiveError::Truncated(self.length);
        let end = size
            .checked_next_multiple_of(RECORD)
            .and_then(|size| start.checked_add(size))
            .filter(|end| *end <= self.length)
            .ok_or_else(truncated)?;
        let distance = i64::try_from(end - self.position).map_err(|_| truncated())?;
        self.reader.seek_relative(distance)?;
        self.position = end;
        Ok(())
    }
}

fn is_extension(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::XHeader
            | EntryType::XGlobalHeader
    )
}

/// GNU's long names end with a zero.
fn name(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

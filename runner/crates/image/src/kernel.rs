//! The kernel inside a bzImage, uncompressed.
//!
//! A bzImage unpacks itself when it starts, which an emulated processor takes the better part of a second for. QEMU can
//! start the kernel that comes out directly, by the PVH entry point that x86 kernels have for Xen
//! (`CONFIG_PVH`, [boot ABI](https://xenbits.xen.org/docs/unstable/misc/pvh.html)). So it is unpacked here, natively.
//!
//! Where the payload lies is told by the header of the image
//! ([Linux/x86 boot protocol](https://docs.kernel.org/arch/x86/boot.html)), version 2.08 or newer.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where the header's fields lie in the image.
const SETUP_SECTORS: usize = 0x1f1;
const MAGIC: usize = 0x202;
const VERSION: usize = 0x206;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// Protocol 2.08, the first that tells where the payload is.
const FIRST_VERSION: u16 = 0x0208;

/// Bytes of a sector. The kernel proper follows the setup sectors and the boot sector.
const SECTOR: usize = 512;

/// Setup sectors of an image that says 0.
const DEFAULT_SETUP_SECTORS: usize = 4;

/// Program headers of this type hold notes.
const PT_NOTE: u32 = 4;

/// The note with the 32-bit physical address of the PVH entry point (Xen's `XEN_ELFNOTE_PHYS32_ENTRY`).
const PVH_NOTE: (&[u8], u32) = (b"Xen\0", 18);

/// An image that cannot be read, or a kernel that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{}", path.display())]
pub struct KernelError {
    path: PathBuf,
    source: io::Error,
}

/// Why a kernel has to unpack itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Packed {
    /// Not an image of the x86 boot protocol, or one of a very old kernel.
    #[error("it is no bzImage of boot protocol 2.08 or newer")]
    NotBzImage,
    /// Packed by a method that this crate does not know, or damaged.
    #[error("its payload, which begins with {0:02x?}, cannot be unpacked")]
    UnknownCompression([u8; 4]),
    /// The kernel was built without `CONFIG_PVH`.
    #[error("it has no PVH entry point")]
    NoEntry,
}

/// Writes the kernel of the bzImage `image` to `target`, as an ELF file that QEMU starts by itself.
///
/// # Errors
/// When a file cannot be read or written. A kernel that has to unpack itself is no error: nothing is written.
pub fn unpack(image: &Path, target: &Path) -> Result<Result<(), Packed>, KernelError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| KernelError { path, source }
    };
    let bytes = fs::read(image).map_err(failed(image))?;
    match kernel(&bytes) {
        Ok(kernel) => fs::write(target, kernel).map(Ok).map_err(failed(target)),
        Err(packed) => Ok(Err(packed)),
    }
}

/// The kernel of a bzImage.
fn kernel(image: &[u8]) -> Result<Vec<u8>, Packed> {
    let payload = payload(image).ok_or(Packed::NotBzImage)?;
    let beginning = payload.first_chunk().copied().unwrap_or_default();
    let unknown = Packed::UnknownCompression(beginning);
    let kernel = decompress(payload).map_err(|_| unknown.clone())?;
    if !kernel.starts_with(b"\x7fELF") {
        return Err(unknown);
    }
    match has_pvh_entry(&kernel) {
        Some(true) => Ok(kernel),
        _ => Err(Packed::NoEntry),
    }
}

fn payload(image: &[u8]) -> Option<&[u8]> {
    let magic = image.get(MAGIC..MAGIC + 4)?;
    if magic != b"HdrS" || u16_at(image, VERSION)? < FIRST_VERSION {
        return None;
    }
    let setup = match usize::from(*image.get(SETUP_SECTORS)?) {
        0 => DEFAULT_SETUP_SECTORS,
        sectors => sectors,
    };
    let start = (setup + 1) * SECTOR + u32_at(image, PAYLOAD_OFFSET)?;
    image.get(start..start.checked_add(u32_at(image, PAYLOAD_LENGTH)?)?)
}

/// By the magic number in front. What the kernel's build appends, the length, is behind the end of the data.
fn decompress(payload: &[u8]) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match payload {
        [0xfd, b'7', b'z', b'X', ..] => {
            lzma_rust2::XzReader::new(payload, false).read_to_end(&mut bytes)
        }
        [0x1f, 0x8b, ..] => flate2::bufread::GzDecoder::new(payload).read_to_end(&mut bytes),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ruzstd::decoding::StreamingDecoder::new(payload)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            .read_to_end(&mut bytes),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }?;
    Ok(bytes)
}

/// Whether a 64-bit ELF file has the note; none when its headers are damaged.
fn has_pvh_entry(elf: &[u8]) -> Option<bool> {
    let headers = u64_at(elf, 0x20)?;
    let (size, count) = (u16_at(elf, 0x36)?, u16_at(elf, 0x38)?);
    for index in 0..usize::from(count) {
        let header = elf.get(headers.checked_add(index * usize::from(size))?..)?;
        if u32::try_from(u32_at(header, 0)?).ok()? != PT_NOTE {
            continue;
        }
        let (offset, length) = (u64_at(header, 0x08)?, u64_at(header, 0x20)?);
        if has_note(elf.get(offset..offset.checked_add(length)?)?) {
            return Some(true);
        }
    }
    Some(false)
}

/// Notes follow each other: three lengths, then name and description, each padded to 4 bytes.
fn has_note(mut notes: &[u8]) -> bool {
    let (name, kind) = PVH_NOTE;
    let next = |notes| {
        let (names, description) = (u32_at(notes, 0)?, u32_at(notes, 4)?);
        let found = notes.get(12..12 + names)? == name && u32_at(notes, 8)? == kind as usize;
        let end = 12 + names.next_multiple_of(4) + description.next_multiple_of(4);
        Some((found, notes.get(end..)?))
    };
    while let Some((found, rest)) = next(notes) {
        if found {
            return true;
        }
        notes = rest;
    }
    false
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let field = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*field))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*field)).ok()
}

fn u64_at(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u64::from_le_bytes(*field)).ok()
}

#[cfg(test)]
mod tests;

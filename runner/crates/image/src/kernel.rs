//! The kernel inside a bzImage, unpacked.
//!
//! A bzImage unpacks itself when it starts, for which an emulated processor takes the better part of a second. So it is
//! unpacked here, natively, and packed anew in the same form without compression: boot loader and firmware see what they
//! know, the kernel gets everything that it would get (memory map, screen, command line), and in place of the program that
//! unpacks there is one of a few instructions, which enters the kernel.
//!
//! ```text
//!  setup sectors, as they were ── at 1 MiB: the program, its page tables ── where the kernel wants them: its segments
//! ```
//!
//! What is missing is what else that program does: it moves the kernel to a random address (KASLR).
//!
//! Fields, addresses and the state of the processor at each entry:
//! [Linux/x86 boot protocol](https://docs.kernel.org/arch/x86/boot.html).

mod entry;

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Where the header's fields lie in the image.
const SETUP_SECTORS: usize = 0x1f1;
const SIZE: usize = 0x1f4;
const MAGIC: usize = 0x202;
const VERSION: usize = 0x206;
const LOAD_FLAGS: usize = 0x211;
const PAYLOAD_OFFSET: usize = 0x248;
const PAYLOAD_LENGTH: usize = 0x24c;

/// Protocol 2.08, the first that tells where the payload is.
const FIRST_VERSION: u16 = 0x0208;

/// The flag of an image whose kernel is loaded at 1 MiB.
const LOADED_HIGH: u8 = 1;

/// Where it is loaded.
const LOAD_ADDRESS: usize = 0x10_0000;

/// Bytes of a sector. The kernel proper follows the setup sectors and the boot sector.
const SECTOR: usize = 512;

/// Setup sectors of an image that says 0.
const DEFAULT_SETUP_SECTORS: usize = 4;

/// The header counts the kernel in paragraphs of so many bytes.
const PARAGRAPH: usize = 16;

/// Program headers of this type are loaded.
const PT_LOAD: usize = 1;

/// The machine of a 64-bit x86 program.
const EM_X86_64: u16 = 62;

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
    /// What comes out is not a kernel that can be entered directly.
    #[error("it is no 64-bit kernel that lies above the program which enters it")]
    NoEntry,
}

/// Writes the bzImage `image` to `target` without compression.
///
/// # Errors
/// When a file cannot be read or written. A kernel that has to unpack itself is no error: nothing is written.
pub fn unpack(image: &Path, target: &Path) -> Result<Result<(), Packed>, KernelError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| KernelError { path, source }
    };
    let bytes = fs::read(image).map_err(failed(image))?;
    match Unpacked::of(&bytes) {
        Ok(unpacked) => unpacked.write(target).map(Ok).map_err(failed(target)),
        Err(packed) => Ok(Err(packed)),
    }
}

/// A kernel that does not unpack itself.
#[derive(Debug)]
struct Unpacked {
    /// The boot sector and the setup sectors.
    setup: Vec<u8>,
    /// The kernel, an ELF file.
    kernel: Vec<u8>,
    segments: Vec<Segment>,
    entry: u32,
}

/// A part of the kernel.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Where it lies in the ELF file.
    offset: usize,
    length: usize,
    /// Where it lies in the machine's memory.
    address: usize,
}

impl Unpacked {
    fn of(image: &[u8]) -> Result<Self, Packed> {
        let (setup, payload) = parts(image).ok_or(Packed::NotBzImage)?;
        let beginning = payload.first_chunk().copied().unwrap_or_default();
        let kernel = match decompress(payload) {
            Ok(kernel) if kernel.starts_with(b"\x7fELF") => kernel,
            _ => return Err(Packed::UnknownCompression(beginning)),
        };
        let (segments, entry) = segments(&kernel).ok_or(Packed::NoEntry)?;
        Ok(Self {
            setup: setup.to_owned(),
            kernel,
            segments,
            entry,
        })
    }

    fn write(mut self, target: &Path) -> io::Result<()> {
        let end = self.segments.iter().map(|part| part.address + part.length);
        let length = end.max().unwrap_or_default() - LOAD_ADDRESS;
        let paragraphs = u32::try_from(length.div_ceil(PARAGRAPH)).map_err(io::Error::other)?;
        self.setup[SIZE..SIZE + 4].copy_from_slice(&paragraphs.to_le_bytes());
        let start = self.setup.len() as u64;
        let file = File::create(target)?;
        file.write_all_at(&self.setup, 0)?;
        file.write_all_at(&entry::program(LOAD_ADDRESS, self.entry), start)?;
        for part in &self.segments {
            let bytes = &self.kernel[part.offset..part.offset + part.length];
            file.write_all_at(bytes, start + (part.address - LOAD_ADDRESS) as u64)?;
        }
        Ok(())
    }
}

/// The setup of an image, and its payload.
fn parts(image: &[u8]) -> Option<(&[u8], &[u8])> {
    let magic = image.get(MAGIC..MAGIC + 4)?;
    let is_high = image.get(LOAD_FLAGS)? & LOADED_HIGH != 0;
    if magic != b"HdrS" || u16_at(image, VERSION)? < FIRST_VERSION || !is_high {
        return None;
    }
    let sectors = match usize::from(*image.get(SETUP_SECTORS)?) {
        0 => DEFAULT_SETUP_SECTORS,
        sectors => sectors,
    };
    let (setup, rest) = image.split_at_checked((sectors + 1) * SECTOR)?;
    let start = u32_at(image, PAYLOAD_OFFSET)?;
    let payload = rest.get(start..start.checked_add(u32_at(image, PAYLOAD_LENGTH)?)?)?;
    Some((setup, payload))
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

/// What is loaded of a 64-bit ELF file, and where it is entered, as physical addresses.
fn segments(elf: &[u8]) -> Option<(Vec<Segment>, u32)> {
    if u16_at(elf, 0x12)? != EM_X86_64 {
        return None;
    }
    let (entry, headers) = (u64_at(elf, 0x18)?, u64_at(elf, 0x20)?);
    let (size, count) = (u16_at(elf, 0x36)?, u16_at(elf, 0x38)?);
    let mut segments = Vec::new();
    for index in 0..usize::from(count) {
        let header = elf.get(headers.checked_add(index * usize::from(size))?..)?;
        let length = u64_at(header, 0x20)?;
        if u32_at(header, 0)? != PT_LOAD || length == 0 {
            continue;
        }
        let (offset, address) = (u64_at(header, 0x08)?, u64_at(header, 0x18)?);
        elf.get(offset..offset.checked_add(length)?)?;
        let highest = u32::try_from(address.checked_add(length)?);
        if address < LOAD_ADDRESS + entry::LENGTH || highest.is_err() {
            return None;
        }
        segments.push(Segment {
            offset,
            length,
            address,
        });
    }
    let is_inside = |part: &Segment| (part.address..part.address + part.length).contains(&entry);
    if !segments.iter().any(is_inside) {
        return None;
    }
    Some((segments, u32::try_from(entry).ok()?))
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

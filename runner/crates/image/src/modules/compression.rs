//! Decompresses modules, so that the guest needs no decompressor.
//!
//! All three decoders are Rust only, so the program stays static: `lzma-rust2` for xz (kept up, and knows the
//! filters for machine code that kernels are packed with, which `lzma-rs` does not), `ruzstd` and `flate2`.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// The file's content, decompressed by its ending.
pub(super) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let input = BufReader::new(File::open(path)?);
    let mut bytes = Vec::new();
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("xz") => lzma_rust2::XzReader::new(input, true).read_to_end(&mut bytes),
        Some("gz") => flate2::bufread::MultiGzDecoder::new(input).read_to_end(&mut bytes),
        Some("zst") => ruzstd::decoding::StreamingDecoder::new(input)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?
            .read_to_end(&mut bytes),
        _ => { input }.read_to_end(&mut bytes),
    }?;
    Ok(bytes)
}

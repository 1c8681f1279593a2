//! How messages become bytes, apart from all I/O.
//!
//! A frame is the payload's length (u32, little endian) and the payload, in the
//! [postcard wire format](https://postcard.jamesmunns.com/wire-format). Output and data travel in chunks, so that
//! frames stay far below [`MAX_FRAME`].

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// What each side sends before its hello. No frame holds it by chance: its first four bytes are a length above
/// [`MAX_FRAME`].
pub const PREAMBLE: [u8; 16] = *b"\xff\xff\xff\xffnix-vmtest/1";

/// Most bytes of a frame's payload.
pub const MAX_FRAME: usize = 4 * 1024 * 1024;

const HEADER: usize = size_of::<u32>();

/// Why bytes are no frame, or cannot become one.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum FrameError {
    /// The message is larger than a frame may be.
    #[error("a message of {0} bytes is larger than a frame may be ({MAX_FRAME} bytes)")]
    TooLong(usize),
    /// The payload is not of the type that was expected, or bytes are left over.
    #[error("a frame of {length} bytes cannot be read: {reason}")]
    Malformed {
        /// Bytes of the payload.
        length: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// One message as a frame.
///
/// # Errors
/// [`FrameError::TooLong`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame =
        postcard::to_extend(message, vec![0; HEADER]).map_err(|error| FrameError::Malformed {
            length: 0,
            reason: error.to_string(),
        })?;
    let length = frame.len() - HEADER;
    match u32::try_from(length) {
        Ok(header) if length <= MAX_FRAME => frame[..HEADER].copy_from_slice(&header.to_le_bytes()),
        _ => return Err(FrameError::TooLong(length)),
    }
    Ok(frame)
}

/// Cuts a byte stream into messages.
///
/// It begins by looking for the peer's preamble, and passes over everything before it. A preamble in place of a frame
/// means that the peer has started anew.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that are done with.
    start: usize,
    in_step: bool,
}

impl Decoder {
    /// Takes in what was read from the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..std::mem::take(&mut self.start));
        self.buffer.extend_from_slice(bytes);
    }

    /// Looks for a preamble again: the peer was reset, and may have left half a frame behind.
    pub fn resync(&mut self) {
        self.in_step = false;
    }

    /// The next message, or none while its bytes are not all there.
    ///
    /// # Errors
    /// When the frame is malformed. The decoder then looks for a preamble.
    pub fn next_message<T: DeserializeOwned>(&mut self) -> Result<Option<T>, FrameError> {
        loop {
            if !self.in_step && !self.find_preamble() {
                return Ok(None);
            }
            let rest = &self.buffer[self.start..];
            let Some((header, rest)) = rest.split_first_chunk::<HEADER>() else {
                return Ok(None);
            };
            if *header == PREAMBLE[..HEADER] {
                self.in_step = false;
                continue;
            }
            let length = u32::from_le_bytes(*header) as usize;
            if length > MAX_FRAME {
                self.in_step = false;
                return Err(FrameError::TooLong(length));
            }
            let Some(payload) = rest.get(..length) else {
                return Ok(None);
            };
            let message = decode(payload);
            self.start += HEADER + length;
            self.in_step = message.is_ok();
            return message.map(Some);
        }
    }

    /// Passes over everything up to and including a preamble; keeps what may be the beginning of one.
    fn find_preamble(&mut self) -> bool {
        let rest = &self.buffer[self.start..];
        match rest
            .windows(PREAMBLE.len())
            .position(|window| window == PREAMBLE)
        {
            Some(position) => {
                self.start += position + PREAMBLE.len();
                self.in_step = true;
            }
            None => self.start += rest.len().saturating_sub(PREAMBLE.len() - 1),
        }
        self.in_step
    }
}

/// Reads one payload; bytes left over are an error.
///
/// # Errors
/// [`FrameError::Malformed`].
pub fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, FrameError> {
    let malformed = |reason: String| FrameError::Malformed {
        length: payload.len(),
        reason,
    };
    match postcard::take_from_bytes(payload) {
        Ok((message, [])) => Ok(message),
        Ok((_, rest)) => Err(malformed(format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(malformed(error.to_string())),
    }
}

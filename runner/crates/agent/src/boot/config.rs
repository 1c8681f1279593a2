//! What the runner put into the initrd for this guest.

use std::fs;
use std::io;

use thiserror::Error;
use vmtest_protocol::boot::{BootConfig, CONFIG_PATH};
use vmtest_protocol::{Decoder, FrameError, PREAMBLE};

/// Why the configuration cannot be read.
#[derive(Debug, Error)]
pub(super) enum ConfigError {
    #[error("cannot read {CONFIG_PATH}: {0}")]
    Unreadable(#[source] io::Error),
    #[error("{CONFIG_PATH} is not of this version: {0}")]
    Malformed(#[source] FrameError),
    #[error("{CONFIG_PATH} is cut short")]
    CutShort,
}

/// Reads the configuration.
pub(super) fn read() -> Result<BootConfig, ConfigError> {
    parse(&fs::read(CONFIG_PATH).map_err(ConfigError::Unreadable)?)
}

pub(super) fn parse(frame: &[u8]) -> Result<BootConfig, ConfigError> {
    let mut decoder = Decoder::default();
    decoder.push(&PREAMBLE);
    decoder.push(frame);
    let config = decoder.next_message().map_err(ConfigError::Malformed)?;
    config.ok_or(ConfigError::CutShort)
}

#[cfg(test)]
mod tests {
    use vmtest_protocol::boot::{Direct, Image, Module};
    use vmtest_protocol::encode;

    use super::*;

    #[test]
    fn reads_a_frame_and_refuses_half_of_one() {
        let config = BootConfig::Direct(Direct {
            modules: vec![Module {
                file: "erofs.ko".into(),
                required: true,
            }],
            late_modules: Vec::new(),
            image: Image::Root,
            persistent: true,
            shares: Vec::new(),
            init: "/sbin/init".into(),
            interfaces: None,
            names: None,
        });
        let frame = encode(&config).expect("small");
        assert_eq!(parse(&frame).expect("well-formed"), config);
        let half = parse(&frame[..frame.len() - 1]);
        assert!(matches!(half, Err(ConfigError::CutShort)));
        let other = parse(&[1, 0, 0, 0, 7]);
        assert!(matches!(other, Err(ConfigError::Malformed(_))));
    }
}

//! The version of the Nix that runs, which need not be the one whose headers the plugin was built with.

use std::ffi::CStr;

use thiserror::Error;

use crate::ffi;

/// A version of Nix: major, minor, patch level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32, u32, u32);

/// Nix says what version it is in a way that is not understood.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a version of Nix: `{0}`")]
pub(super) struct NotAVersion(String);

/// The version of the Nix that loaded the plugin.
pub(super) fn running() -> Result<Version, NotAVersion> {
    // SAFETY: the function has no preconditions, and gives a constant string.
    let text = unsafe { CStr::from_ptr(ffi::nix_version_get()) };
    Version::parse(&text.to_string_lossy())
}

impl Version {
    /// Reads `2.26.3`, `2.35pre20260719_0d157ee` and the like.
    fn parse(text: &str) -> Result<Self, NotAVersion> {
        let mut numbers = text.split('.').map_while(|part| {
            let digits = part.find(|character: char| !character.is_ascii_digit());
            part[..digits.unwrap_or(part.len())].parse().ok()
        });
        match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) => {
                Ok(Self(major, minor, numbers.next().unwrap_or_default()))
            }
            _ => Err(NotAVersion(text.to_owned())),
        }
    }

    /// Whether callbacks get a state that functions of the C API can take: since Nix 2.34.1 (NixOS/nix#15300).
    pub(super) fn gives_state_to_callbacks(self) -> bool {
        self >= Self(2, 34, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{NotAVersion, Version};

    #[test]
    fn versions_are_read_and_gated() {
        let table = [
            ("2.24", Version(2, 24, 0), false),
            ("2.26.3", Version(2, 26, 3), false),
            ("2.33.6", Version(2, 33, 6), false),
            ("2.34.0", Version(2, 34, 0), false),
            ("2.34.1", Version(2, 34, 1), true),
            ("2.35pre20260719_0d157ee", Version(2, 35, 0), true),
            ("3.0.0-dev", Version(3, 0, 0), true),
        ];
        for (text, version, gives_state) in table {
            assert_eq!(Version::parse(text), Ok(version), "{text}");
            assert_eq!(version.gives_state_to_callbacks(), gives_state, "{text}");
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "2", "two.four"] {
            assert_eq!(Version::parse(text), Err(NotAVersion(text.to_owned())));
        }
    }
}

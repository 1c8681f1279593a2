//! Folders of the host that a machine sees.

use std::path::{Path, PathBuf};

/// A folder of the host that a machine sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Name of its device.
    pub tag: String,
    /// The folder on the host.
    pub source: PathBuf,
    /// The folder in the guest, as an absolute path.
    pub target: String,
    /// Whether the guest may not write to it.
    pub read_only: bool,
}

impl Share {
    /// Tag of the folder that all machines of a test see.
    pub(super) const COMMON_TAG: &str = "shared";

    /// Where they see it.
    pub(super) const COMMON_TARGET: &str = "/tmp/shared";

    /// The folder that all machines of a test see.
    #[must_use]
    pub fn common(source: &Path) -> Self {
        Self {
            tag: Self::COMMON_TAG.to_owned(),
            source: source.to_owned(),
            target: Self::COMMON_TARGET.to_owned(),
            read_only: false,
        }
    }
}

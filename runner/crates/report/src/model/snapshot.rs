//! What the report says of the snapshot that machines were to go on from.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What became of a snapshot that the machines were to go on from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotReport {
    /// The output of the test that has saved them.
    pub from: PathBuf,
    /// Why machines did not go on from there, but booted; null if all that were started did.
    pub unused: Option<String>,
}

impl SnapshotReport {
    /// None has done anything yet.
    #[must_use]
    pub fn new(from: &Path) -> Self {
        Self {
            from: from.to_owned(),
            unused: None,
        }
    }

    /// This machine, or all, boots.
    pub fn note(&mut self, machine: Option<&str>, reason: &str) {
        let reason = match machine {
            Some(machine) => format!("{machine}: {reason}"),
            None => reason.to_owned(),
        };
        self.unused = Some(match self.unused.take() {
            Some(before) => format!("{before}; {reason}"),
            None => reason,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_machine_has_its_reason() {
        let mut report = SnapshotReport::new(Path::new("/boot"));
        assert_eq!(report.unused, None);
        report.note(Some("server"), "no room");
        report.note(Some("client"), "no memory");
        let expected = "server: no room; client: no memory";
        assert_eq!(report.unused.as_deref(), Some(expected));
        let mut report = SnapshotReport::new(Path::new("/boot"));
        report.note(None, "another processor");
        assert_eq!(report.unused.as_deref(), Some("another processor"));
    }
}

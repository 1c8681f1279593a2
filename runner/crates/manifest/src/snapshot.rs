//! Machines that are booted once, for many tests.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What a test has to do with a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Snapshot {
    /// It makes one: when its script has ended, the machines are saved into its output.
    Save(Save),
    /// Its machines go on from one.
    Restore(Restore),
    /// Its machines boot, whatever is saved of them, and are prepared first.
    Boot(Preparation),
}

/// How a snapshot is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Save {
    /// Whether machines that cannot be saved fail the test; else its output says why, and they boot in every test.
    pub required: bool,
    /// Whether the script brings the machines to where they are saved. Without it, all are started, and are saved when their
    /// system's default target is reached; the script is not run.
    pub prepared: bool,
}

/// How a snapshot is gone on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restore {
    /// The output of the test that has made it.
    pub from: PathBuf,
    /// Whether the test fails where that is not possible; else its machines boot, and the log says why.
    pub required: bool,
    /// The script that has brought the machines to where they were saved, if one has: it is run where they boot instead.
    pub prepare: Option<String>,
    /// What is made anew in each machine before the script sees it.
    pub fresh: Vec<Fresh>,
}

/// How machines come to be, without a snapshot, what they would be in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preparation {
    /// The script that brings the machines, which are off, to where they would have been saved. The test script follows it.
    pub prepare: String,
}

/// What machines have for themselves, and have in common when they are restored from the same snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fresh {
    /// `/etc/machine-id`.
    MachineId,
    /// The host keys of the SSH server, which is restarted if it runs.
    SshHostKeys,
}

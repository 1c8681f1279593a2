//! The manifest: what Nix hands to the runner.
//!
//! The manifest is the published interface of the project. It has a [version](VERSION); a field that is not described
//! here is refused, so that a manifest never means something else to an older runner. Any tool may write one: Nix is
//! only the first. Sizes are MiB, durations are seconds, paths are absolute.
//!
//! - [`Manifest`]: a whole test;
//! - [`Node`] and its parts: one machine;
//! - [`Snapshot`]: machines that are booted once, for many tests;
//! - [`Attributes`]: the file in which Nix hands over the manifest and the closures of the machines.
//!
//! There is no I/O here, and nothing is checked beyond the form: the rules (names, sizes, VLAN numbers) are the
//! runner's, which reports them with the machine they concern.

mod attributes;
mod node;
mod parse;
mod snapshot;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use attributes::{Attributes, StorePathInfo};
pub use node::{
    Boot, Disk, Endpoint, Forward, HostEntry, Interface, Kernel, Layer, Network, NetworkSetup,
    Node, Protocol, Root, SharedDirectory, StartScript, UserNetwork,
};
pub use parse::ParseError;
pub use snapshot::{Fresh, Preparation, Restore, Save, Snapshot};

/// The version of the interface that this crate describes.
pub const VERSION: u32 = 1;

/// A whole test: its machines, its script, and the programs that run them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Version of the interface: [`VERSION`].
    pub version: u32,
    /// The test's name, without the `vm-test-run-` of its derivation.
    pub name: String,
    /// The Nix system of the machines, such as `x86_64-linux`.
    pub system: String,
    /// The test script: Python source.
    pub test_script: String,
    /// Seconds after which the whole test is ended and fails.
    pub global_timeout: u64,
    /// Whether the machines must, may or must not run on hardware virtualisation.
    pub acceleration: Acceleration,
    /// Whether there is a folder of the host that every machine sees as `/tmp/shared`, and the script as `shared_dir`.
    pub shared_dir: bool,
    /// Whether a command of the script ends only when nobody holds its outputs any more, unless it says otherwise.
    pub wait_for_output: bool,
    /// Whether lines of consoles and journals are shown in the log from the beginning.
    pub serial_stdout: bool,
    /// Where the script finds more modules: folders of them, or prefixes with a `lib/python3.*/site-packages`.
    pub extra_python_packages: Vec<PathBuf>,
    /// Whether the types of scripts are not looked at before they are run.
    pub skip_type_check: bool,
    /// Whether nothing but syntax and types of scripts is looked at.
    pub skip_lint: bool,
    /// Names of rules that scripts are not held to; `vmtest check --rules` lists them.
    pub ignored_rules: Vec<String>,
    /// Whether the machines are saved for other tests, go on from where another test has saved them, or are brought there.
    pub snapshot: Option<Snapshot>,
    /// What fails the test beside its script, and when; none has the first failure of the script end it, and nothing else.
    pub failures: Option<Failures>,
    /// The programs that the runner starts or puts into the machines.
    pub tools: Tools,
    /// The machines by name.
    pub nodes: BTreeMap<String, Node>,
    /// Machines that are started by programs of theirs, by name; none is among the others.
    pub start_scripts: BTreeMap<String, StartScript>,
}

/// What fails a test, and when. Patterns are regular expressions that are looked for in single lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Failures {
    /// Whether the script goes on after a subtest that has failed; the test has failed then, too.
    pub keep_going: bool,
    /// Lines of consoles and journals with one of these fail the test.
    pub fail_on: Vec<String>,
    /// Unless they have one of these.
    pub except: Vec<String>,
}

/// Whether machines run on hardware virtualisation (KVM) or by emulation (TCG).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Acceleration {
    /// Without a working KVM the test fails.
    Require,
    /// KVM where it works, emulation elsewhere; time-outs are longer under emulation.
    Prefer,
    /// Always emulation.
    Never,
}

/// The programs that the runner starts or puts into the machines, as absolute paths of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tools {
    /// `qemu-system-<arch>`.
    pub qemu: PathBuf,
    /// The static agent that becomes `/init` of the machines' initrd.
    pub agent: PathBuf,
    /// `mke2fs`, which formats persistent disks.
    pub mke2fs: PathBuf,
    /// `tesseract`, which reads screens; none where no script does.
    pub tesseract: Option<PathBuf>,
}

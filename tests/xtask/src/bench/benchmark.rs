//! What can be measured, by name.

use anyhow::Result;
use clap::ValueEnum;

use super::measurement::Measurements;
use super::peer::Peer;
use super::sandbox::Sandbox;
use super::{scripted, sizes, suite, trivial};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Benchmark {
    /// One Debian machine until it is up, part by part; the same restored, and after an edit of the script
    Trivial,
    /// Ten scripts on machines that boot once
    Suite,
    /// A command that does nothing
    Command,
    /// From an event to the end of a wait for it
    Waits,
    /// Files into and out of a machine
    Copy,
    /// From one machine to another
    Network,
    /// Reads of a machine's files, and how long their image takes
    Store,
    /// 1 to 24 machines until all have answered, booted and restored; memory and CPU time
    Machines,
    /// Programs and saved machines
    Sizes,
}

impl Benchmark {
    pub(crate) fn all() -> Vec<Self> {
        Self::value_variants().to_vec()
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it makes no difference to look again.
    pub(crate) fn is_constant(self) -> bool {
        self == Self::Sizes
    }

    /// Takes every figure of it once; those of another driver in turns with ours.
    pub(crate) fn run(
        self,
        sandbox: &Sandbox,
        peer: Option<&Peer>,
        found: &mut Measurements,
    ) -> Result<()> {
        match self {
            Self::Trivial => trivial::run(sandbox, peer, found),
            Self::Suite => suite::run(sandbox, found),
            Self::Command => scripted::run(sandbox, &["command"], found),
            Self::Waits => scripted::run(sandbox, &["waits"], found),
            Self::Copy => scripted::run(sandbox, &["copy"], found),
            Self::Network => scripted::run(sandbox, &["network"], found),
            Self::Store => scripted::store(sandbox, found),
            Self::Machines => scripted::machines(sandbox, found),
            Self::Sizes => sizes::run(sandbox, found),
        }
    }
}

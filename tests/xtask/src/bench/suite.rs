//! Ten scripts on machines that boot once: all of it, from nothing.

use anyhow::Result;

use super::measurement::{Measurements, Unit};
use super::sandbox::{Sandbox, shown};

/// The tests of the suite: its scripts wait for units of these names.
const TESTS: [&str; 10] = [
    "suite.basic-target",
    "suite.dbus-service",
    "suite.getty-target",
    "suite.local-fs-target",
    "suite.multi-user-target",
    "suite.paths-target",
    "suite.sockets-target",
    "suite.sysinit-target",
    "suite.systemd-journald-service",
    "suite.timers-target",
];

pub(super) fn run(sandbox: &Sandbox, found: &mut Measurements) -> Result<()> {
    let salts = sandbox.fresh();
    let built = sandbox.build(&TESTS, &salts)?;
    // It is there already: so it is known what to remove.
    sandbox.build(&["suite.basic-target.boot"], &salts)?;
    let name = "ten scripts on one boot";
    let command = shown(&["suite.…"]);
    found.add_taken_by("suite", name, Unit::Seconds, &command, &[built.seconds]);
    Ok(())
}

//! One Debian machine with two processors until it is up: from nothing, from where it was saved, and after an edit of the script.

use anyhow::Result;

use super::measurement::{Measurements, Unit};
use super::peer::Peer;
use super::report::Report;
use super::sandbox::{Salts, Sandbox};

/// What the script waits for.
const UNIT: &str = "multi-user.target";

/// The script, as it is in tests.nix: for other drivers.
pub(super) const SCRIPT: &str = "machine.wait_for_unit(\"multi-user.target\")\n";

/// Takes them in turns, those of another driver too, so that what slows the computer down meanwhile slows all of them down.
pub(super) fn run(sandbox: &Sandbox, peer: Option<&Peer>, found: &mut Measurements) -> Result<()> {
    let salts = sandbox.fresh();
    let boot = sandbox.build(&["restored.boot"], &salts)?;
    found.add("restored.boot", "total", Unit::Seconds, &[boot.seconds]);
    if let Some(peer) = peer {
        peer.run(found)?;
    }
    for test in ["trivial", "restored", "edited"] {
        whole(sandbox, test, &sandbox.edited(&salts), found)?;
    }
    Ok(())
}

/// A test from `nix build` to its result, part by part.
fn whole(sandbox: &Sandbox, test: &str, salts: &Salts, found: &mut Measurements) -> Result<()> {
    let evaluation = sandbox.evaluate(test, salts)?;
    let built = sandbox.build(&[test], salts)?;
    let report = Report::read(built.result()?)?;
    let mut add = |name, seconds| found.add(test, name, Unit::Seconds, &[seconds]);
    add("total", built.seconds);
    // It is not a part: `nix eval` takes longer than what `nix build` does of it, and that is not known apart.
    add("evaluation alone", evaluation);
    add(AROUND, built.seconds - report.duration);
    for (name, seconds) in report.parts(UNIT)? {
        add(name, seconds);
    }
    Ok(())
}

/// What Nix does before and after the builder runs.
const AROUND: &str = "evaluation, build start and end";

/// The parts of a test, in order, as they are called in its figures: together they are its total.
pub(super) const PARTS: [&str; 6] = [
    AROUND,
    "VM build",
    "power-on to agent",
    "agent to multi-user",
    "script after that",
    "teardown",
];

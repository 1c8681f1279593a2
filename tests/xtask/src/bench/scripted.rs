//! Tests whose scripts measure by themselves.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::measurement::{Measurements, Unit};
use super::report::{Report, Scripted};
use super::sandbox::{Salts, Sandbox};

/// How many machines run at once.
pub(super) const FLEETS: [u32; 6] = [1, 2, 4, 8, 16, 24];

/// Sizes of the closures whose images are built, in GiB, about.
const CLOSURES: [u32; 3] = [1, 2, 4];

const GIB: f64 = (1_u64 << 30) as f64;

pub(super) fn run(sandbox: &Sandbox, tests: &[&str], found: &mut Measurements) -> Result<()> {
    let salts = sandbox.fresh();
    tests
        .iter()
        .try_for_each(|test| one(sandbox, test, &salts, found))
}

fn one(sandbox: &Sandbox, test: &str, salts: &Salts, found: &mut Measurements) -> Result<()> {
    let built = sandbox.build(&[test], salts)?;
    for taken in Scripted::read(built.result()?)?.measurements {
        found.add(test, &taken.name, taken.unit, &taken.samples);
    }
    Ok(())
}

/// Each number of machines booted and then restored. Where one fails the others are measured nevertheless.
pub(super) fn machines(sandbox: &Sandbox, found: &mut Measurements) -> Result<()> {
    let salts = sandbox.fresh();
    let mut outcome = Ok(());
    for count in FLEETS {
        let test = |kind| format!("machines-{count}-{kind}");
        let booted = one(sandbox, &test("booted"), &salts, found);
        let boot = sandbox.build(&[&format!("{}.boot", test("restored"))], &salts);
        let restored = boot.and_then(|_| one(sandbox, &test("restored"), &salts, found));
        outcome = outcome.and(booted).and(restored);
    }
    outcome
}

/// Reads of a machine's files, and how long its image takes to build.
pub(super) fn store(sandbox: &Sandbox, found: &mut Measurements) -> Result<()> {
    let salts = sandbox.fresh();
    one(sandbox, "store", &salts, found)?;
    for size in CLOSURES {
        let tree = sandbox.build(&[&format!("tree-{size}")], &salts)?;
        let gib = bytes_below(tree.result()?)? / GIB;
        let test = format!("image-{size}");
        let image = sandbox.build(&[&test], &salts)?;
        let seconds = Report::read(image.result()?)?.vm_build()?;
        let name = format!("VM build with a closure of {gib:.2} GiB");
        found.add(&test, &name, Unit::Seconds, &[seconds]);
        found.add(
            &test,
            "VM build by size",
            Unit::SecondsPerGib,
            &[seconds / gib],
        );
    }
    Ok(())
}

/// What a file or a folder with all that is in it takes on disk.
pub(super) fn bytes_below(path: &Path) -> Result<f64> {
    let read = || -> std::io::Result<f64> {
        let mut blocks = 0.0;
        let mut left = vec![path.to_owned()];
        while let Some(path) = left.pop() {
            let metadata = path.symlink_metadata()?;
            // No disk has so many blocks that they cannot be counted exactly.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            let own = metadata.blocks() as f64;
            blocks += own;
            if metadata.is_dir() {
                for entry in path.read_dir()? {
                    left.push(entry?.path());
                }
            }
        }
        Ok(blocks * 512.0)
    };
    read().with_context(|| format!("cannot see how large {} is", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("below")).unwrap();
        let before = bytes_below(folder.path()).unwrap();
        let file = folder.path().join("below/file");
        std::fs::write(&file, vec![1; 100_000]).unwrap();
        // A hole takes nothing.
        let hole = std::fs::File::create(folder.path().join("hole")).unwrap();
        hole.set_len(1 << 30).unwrap();
        hole.sync_all().unwrap();
        std::fs::File::open(&file).unwrap().sync_all().unwrap();
        let more = bytes_below(folder.path()).unwrap() - before;
        assert!((100_000.0..1e6).contains(&more), "{more}");
        assert!(bytes_below(&folder.path().join("missing")).is_err());
    }
}

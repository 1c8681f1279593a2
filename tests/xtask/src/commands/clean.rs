//! `cargo xtask clean`: removes the cache.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::cache::remove;
use crate::toolbox::Toolbox;

pub(crate) fn run() -> Result<ExitCode> {
    let toolbox = Toolbox::find()?;
    let cache = toolbox.cache();
    if !cache.root().exists() {
        eprintln!("there is nothing in {}", cache.root().display());
        return Ok(ExitCode::SUCCESS);
    }
    let _at_work = cache.lock("setup", |holder| {
        eprintln!("waiting for {holder} to finish")
    })?;
    let Some(_alone) = cache.in_use(true)? else {
        bail!("something of the toolbox runs (a shell, a build): end it first");
    };
    // Mounts are made in namespaces that are gone with their programs. One that is left is not ours to look through.
    let mounts = std::fs::read_to_string("/proc/self/mounts").context("cannot read the mounts")?;
    let root = cache.root().to_string_lossy();
    if let Some(mount) = mounts.lines().find_map(|line| mounted_below(line, &root)) {
        bail!("{mount} is a mount: unmount it first");
    }
    remove(cache.root())?;
    eprintln!("removed {}", cache.root().display());
    Ok(ExitCode::SUCCESS)
}

/// The mount point of a line of /proc/self/mounts, if it lies below `dir`.
fn mounted_below<'a>(line: &'a str, dir: &str) -> Option<&'a str> {
    let point = line.split(' ').nth(1)?;
    point.strip_prefix(dir)?.starts_with('/').then_some(point)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mounts_below_count() {
        let below = "proc /cache/nix-vmtest/made/root-1/tree/proc proc rw 0 0";
        assert!(mounted_below(below, "/cache/nix-vmtest").is_some());
        assert!(mounted_below(below, "/cache/nix-vm").is_none());
        assert!(mounted_below("/dev/vda /cache ext4 rw 0 0", "/cache/nix-vmtest").is_none());
    }
}

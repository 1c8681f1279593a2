//! Checks of the workspace itself: which crate may use which, and what lies at its top.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The crates of the workspace, each with those of the workspace that it uses in any way.
///
/// # Errors
/// When cargo does not tell.
pub fn edges() -> Result<BTreeMap<String, BTreeSet<String>>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]);
    let own: BTreeSet<String> = packages.iter().map(name).collect();
    let uses = |package: &Value| {
        list(&package["dependencies"])
            .iter()
            .map(name)
            .filter(|name| own.contains(name))
            .collect()
    };
    Ok(packages
        .iter()
        .map(|package| (name(package), uses(package)))
        .collect())
}

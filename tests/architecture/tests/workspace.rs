//! The rules of the workspace.

use std::collections::BTreeSet;
use std::process::Command;

/// Which crate of the workspace uses which. An edge that is not here is a decision to be taken, not an accident.
const EDGES: &[(&str, &[&str])] = &[
    ("architecture", &[]),
    ("e2e", &[]),
    ("nix-vmtest-plugin", &[]),
    (
        "vmtest",
        &[
            "vmtest-check",
            "vmtest-image",
            "vmtest-manifest",
            "vmtest-protocol",
            "vmtest-report",
            "vmtest-script",
            "vmtest-share",
            "vmtest-state",
            "vmtest-switch",
        ],
    ),
    ("vmtest-agent", &["vmtest-protocol"]),
    ("vmtest-check", &[]),
    ("vmtest-image", &[]),
    ("vmtest-manifest", &[]),
    ("vmtest-protocol", &[]),
    ("vmtest-report", &[]),
    ("vmtest-script", &[]),
    ("vmtest-share", &[]),
    ("vmtest-state", &[]),
    ("vmtest-switch", &[]),
    ("xtask", &[]),
];

/// What lies at the top of the repository, beside dot files.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "flake.lock",
    "flake.nix",
    "lib",
    "nixos",
    "plugin",
    "runner",
    "tests",
];

#[test]
fn crates_use_no_others_than_agreed() {
    let found = architecture::edges().expect("cargo metadata");
    let found: Vec<(&str, Vec<&str>)> = found
        .iter()
        .map(|(name, uses)| (name.as_str(), uses.iter().map(String::as_str).collect()))
        .collect();
    let agreed: Vec<(&str, Vec<&str>)> = EDGES
        .iter()
        .map(|(name, uses)| (*name, uses.to_vec()))
        .collect();
    assert_eq!(found, agreed);
}

#[test]
fn the_top_level_is_as_agreed() {
    let output = Command::new("git")
        .args(["ls-files", "--cached"])
        .current_dir(architecture::repository())
        .output()
        .expect("git ls-files");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let files = String::from_utf8_lossy(&output.stdout);
    let top: BTreeSet<&str> = files
        .lines()
        .filter_map(|path| path.split('/').next())
        .filter(|name| !name.starts_with('.'))
        .collect();
    assert_eq!(top, TOP.iter().copied().collect());
}

//! A test as a program, to be run outside of Nix: the attributes `driver` and `driverInteractive` of a test.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use vmtest_manifest::Attributes;

/// The program's name, which other tools know.
const PROGRAM: &str = "nixos-test-driver";

/// Writes the program into the derivation's output: `text` is what Nix handed over, and `runner` this program.
///
/// The program is a script of the host's shell; what it is given goes to `vmtest run`. Since the file beside it names every
/// store path that the test needs, the output keeps them.
///
/// # Errors
/// When something cannot be written.
pub fn write(attributes: &Attributes, text: &str, runner: &Path, interactive: bool) -> Result<()> {
    let out = &attributes.out;
    let share = out.join("share/vmtest");
    let bin = out.join("bin");
    for folder in [&share, &bin] {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let test = share.join("test.json");
    put(&test, text, 0o444)?;
    // Where it lies in upstream's drivers.
    put(
        &out.join("test-script"),
        &attributes.manifest.test_script,
        0o444,
    )?;
    let mode = if interactive { " --interactive" } else { "" };
    let script = format!(
        "#!/bin/sh\nexec {} run --attributes {}{mode} \"$@\"\n",
        quoted(runner),
        quoted(&test),
    );
    put(&bin.join(PROGRAM), &script, 0o555)
}

fn put(path: &PathBuf, text: &str, mode: u32) -> Result<()> {
    let file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| path.display().to_string())
}

/// A word for the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}

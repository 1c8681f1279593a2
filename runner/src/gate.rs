//! The gate behind a test whose results are kept: it passes when the test has.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use vmtest_report::{Outcome, files, text};

/// What is read of the attributes of the gate's derivation.
#[derive(Debug, Deserialize)]
struct Attributes {
    /// The test's results.
    results: PathBuf,
    outputs: Outputs,
}

#[derive(Debug, Deserialize)]
struct Outputs {
    out: PathBuf,
}

/// Says how the test has ended and where its report is, and makes its results the output.
///
/// # Errors
/// When the attributes or the report cannot be read, or the output cannot be made.
pub fn pass(attributes: &Path) -> Result<Outcome> {
    let named = || attributes.display().to_string();
    let attributes_text = fs::read_to_string(attributes).with_context(named)?;
    let Attributes { results, outputs } =
        serde_json::from_str(&attributes_text).with_context(named)?;
    let report = files::read(&results)?;
    let page = results.join(files::PAGE);
    let said = if report.outcome == Outcome::Passed {
        text::heading(&report)
    } else {
        text::render(&report)
    };
    // Whoever has closed the log does not want to know.
    let _ = writeln!(
        std::io::stderr(),
        "vmtest: {}\nvmtest: the whole report: {}",
        said.trim_end(),
        page.display()
    );
    if report.outcome == Outcome::Passed {
        link(&results, &outputs.out).with_context(|| outputs.out.display().to_string())?;
    }
    Ok(report.outcome)
}

/// The output looks like that of a test whose results are not kept apart.
fn link(results: &Path, out: &Path) -> std::io::Result<()> {
    fs::create_dir_all(out)?;
    for entry in fs::read_dir(results)? {
        let entry = entry?;
        let target = out.join(entry.file_name());
        // Hydra reads it in the output itself.
        if entry.file_name() == "nix-support" {
            fs::create_dir_all(&target)?;
            fs::copy(
                results.join(files::HYDRA_PRODUCTS),
                out.join(files::HYDRA_PRODUCTS),
            )?;
        } else {
            symlink(entry.path(), target)?;
        }
    }
    Ok(())
}

//! Whether machines run on KVM or by emulation.
//!
//! That `/dev/kvm` can be opened says little: inside some virtual machines it is there, and a guest on it stops at its
//! first instruction. So the answer is tried: QEMU starts a firmware of a few bytes on KVM, which ends QEMU with a
//! status that no failure gives ([`probe`]).

mod probe;

use std::fmt;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use vmtest_manifest::Acceleration;

use crate::vm::architecture::Architecture;
use probe::Probe;

/// What executes a guest's instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accelerator {
    /// The processor, through KVM.
    Kvm,
    /// QEMU's emulation.
    Tcg,
}

impl Accelerator {
    /// Its name, as QEMU takes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }

    /// How much longer the runner's own deadlines are than on hardware virtualisation.
    #[must_use]
    pub fn patience(self) -> u32 {
        match self {
            Self::Kvm => 1,
            Self::Tcg => 5,
        }
    }
}

/// The accelerator of a test, and why it is that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What runs.
    pub accelerator: Accelerator,
    /// Why, as a sentence's end.
    pub reason: String,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.accelerator {
            Accelerator::Kvm => "KVM",
            Accelerator::Tcg => "emulation (TCG)",
        };
        write!(f, "machines run on {name}: {}", self.reason)
    }
}

/// A test that needs KVM, on a host that has none.
#[derive(Debug, Error)]
#[error("the test requires KVM (acceleration = \"require\"), and it does not work here: {0}")]
pub struct NoKvm(String);

/// Why KVM cannot be used.
#[derive(Debug, Error)]
enum Defect {
    #[error("/dev/kvm: {0}")]
    Device(std::io::Error),
    #[error("cannot prepare the probe: {0}")]
    Probe(std::io::Error),
    #[error("a probe guest did not run to its end within {} s", PROBE_TIME.as_secs())]
    Stuck,
    #[error("a probe guest did not run: {0}")]
    Failed(String),
}

const PROBE_TIME: Duration = Duration::from_secs(5);

/// Chooses the accelerator, and tries KVM where it may be used.
///
/// # Errors
/// When the test requires KVM and it does not work.
pub async fn choose(wish: Acceleration, qemu: &Path, scratch: &Path) -> Result<Choice, NoKvm> {
    if wish == Acceleration::Never {
        let reason = "the test asks for it (acceleration = \"never\")".to_owned();
        return Ok(Choice {
            accelerator: Accelerator::Tcg,
            reason,
        });
    }
    match (probe(qemu, scratch).await, wish) {
        (Ok(()), _) => Ok(Choice {
            accelerator: Accelerator::Kvm,
            reason: "a probe guest ran on it".to_owned(),
        }),
        (Err(defect), Acceleration::Require) => Err(NoKvm(defect.to_string())),
        (Err(defect), _) => Ok(Choice {
            accelerator: Accelerator::Tcg,
            reason: format!("KVM does not work here: {defect}"),
        }),
    }
}

async fn probe(qemu: &Path, scratch: &Path) -> Result<(), Defect> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .map_err(Defect::Device)?;
    let firmware = scratch.join("kvm-probe.bin");
    let guest = Probe::of(Architecture::OWN);
    fs::write(&firmware, &guest.firmware).map_err(Defect::Probe)?;
    let mut child = Command::new(qemu)
        .args(["-accel", "kvm", "-cpu", "host", "-m", "16M", "-smp", "1"])
        .args(guest.arguments)
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ])
        .arg("-bios")
        .arg(&firmware)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Defect::Probe)?;
    tokio::time::timeout(PROBE_TIME, outcome(&mut child, guest.status))
        .await
        .map_err(|_| Defect::Stuck)?
}

/// What QEMU says first begins so when KVM gives up on the guest. QEMU stays then, with a machine that does not run.
const GIVEN_UP: &str = "KVM internal error";

async fn outcome(child: &mut Child, expected: i32) -> Result<(), Defect> {
    let mut said = None;
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Some(line) = lines.next_line().await.map_err(Defect::Probe)? {
            if line.starts_with(GIVEN_UP) {
                return Err(Defect::Failed(line));
            }
            let line = line.trim();
            if said.is_none() && !line.is_empty() {
                said = Some(line.to_owned());
            }
        }
    }
    let status = child.wait().await.map_err(Defect::Probe)?;
    if status.code() == Some(expected) {
        return Ok(());
    }
    Err(Defect::Failed(
        said.unwrap_or_else(|| format!("QEMU ended with {status}")),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn emulation_is_never_probed() {
        let choice = choose(
            Acceleration::Never,
            Path::new("/no/qemu"),
            Path::new("/no/scratch"),
        )
        .await;
        assert_eq!(choice.expect("needs nothing").accelerator, Accelerator::Tcg);
    }

    /// On a host with or without `/dev/kvm`, a QEMU that is not there runs no guest.
    #[tokio::test]
    async fn what_cannot_be_tried_does_not_work() {
        let scratch = tempfile::tempdir().expect("folder");
        let missing = Path::new("/no/qemu");
        let choice = choose(Acceleration::Prefer, missing, scratch.path())
            .await
            .expect("falls back");
        assert_eq!(choice.accelerator, Accelerator::Tcg);
        assert!(
            choice.to_string().contains("KVM does not work here"),
            "{choice}"
        );
        let error = choose(Acceleration::Require, missing, scratch.path())
            .await
            .expect_err("no KVM");
        assert!(error.to_string().contains("requires KVM"), "{error}");
    }
}

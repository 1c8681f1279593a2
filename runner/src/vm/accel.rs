//! Whether machines run on KVM or by emulation.
//!
//! That `/dev/kvm` can be opened says little: inside some virtual machines it is there, and a guest on it stops at its
//! first instruction. So the answer is tried: QEMU starts a firmware of a few bytes on KVM, which ends QEMU with a
//! status that nothing else gives.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use thiserror::Error;
use tokio::process::Command;
use vmtest_manifest::Acceleration;

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

/// Status with which QEMU ends when the guest writes [`PROBE_VALUE`] to the port of `isa-debug-exit`.
const PROBE_STATUS: i32 = (PROBE_VALUE as i32) << 1 | 1;
const PROBE_VALUE: u8 = 0x2a;

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
    fs::write(&firmware, probe_firmware()).map_err(Defect::Probe)?;
    let run = Command::new(qemu)
        .args([
            "-accel", "kvm", "-machine", "q35", "-cpu", "host", "-m", "16M", "-smp", "1",
        ])
        .args([
            "-nodefaults",
            "-no-user-config",
            "-display",
            "none",
            "-no-reboot",
        ])
        .args(["-device", "isa-debug-exit,iobase=0x501,iosize=1", "-bios"])
        .arg(&firmware)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(PROBE_TIME, run)
        .await
        .map_err(|_| Defect::Stuck)?
        .map_err(Defect::Probe)?;
    if output.status.code() == Some(PROBE_STATUS) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    Err(Defect::Failed(line.map_or_else(
        || format!("QEMU ended with {}", output.status),
        str::to_owned,
    )))
}

/// 64 KiB that lie below 4 GiB, the processor beginning 16 bytes before their end in 16-bit mode.
fn probe_firmware() -> Vec<u8> {
    const SIZE: usize = 64 * 1024;
    const RESET_VECTOR: usize = SIZE - 16;
    let code = [
        0xba,
        0x01,
        0x05, // mov dx, 0x501
        0xb0,
        PROBE_VALUE, // mov al, PROBE_VALUE
        0xee,        // out dx, al
        0xf4,        // hlt
    ];
    let mut firmware = vec![0xf4; SIZE];
    firmware[RESET_VECTOR..RESET_VECTOR + code.len()].copy_from_slice(&code);
    firmware
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

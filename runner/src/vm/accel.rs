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
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
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
    let mut child = Command::new(qemu)
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
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(Defect::Probe)?;
    tokio::time::timeout(PROBE_TIME, outcome(&mut child))
        .await
        .map_err(|_| Defect::Stuck)?
}

/// What QEMU says first begins so when KVM gives up on the guest. QEMU stays then, with a machine that does not run.
const GIVEN_UP: &str = "KVM internal error";

async fn outcome(child: &mut Child) -> Result<(), Defect> {
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
    if status.code() == Some(PROBE_STATUS) {
        return Ok(());
    }
    Err(Defect::Failed(
        said.unwrap_or_else(|| format!("QEMU ended with {status}")),
    ))
}

/// 64 KiB that lie below 4 GiB, the processor beginning 16 bytes before their end in 16-bit mode.
///
/// Some hosts let KVM do nothing but interpret a guest, which goes well until an instruction that its interpreter does not
/// know; Linux has them. So the guest goes to 32-bit mode and uses one, if the processor says that it can.
fn probe_firmware() -> Vec<u8> {
    const SIZE: usize = 64 * 1024;
    const RESET_VECTOR: (usize, [u8; 3]) = (0xfff0, [0xe9, 0x0d, 0xff]); // jmp 0xff00
    #[rustfmt::skip]
    const REAL_MODE: (usize, [u8; 24]) = (0xff00, [
        0xfa,                                           // cli
        0x2e, 0x66, 0x0f, 0x01, 0x16, 0x50, 0xff,       // lgdtl cs:[0xff50]
        0x0f, 0x20, 0xc0,                               // mov eax, cr0
        0x0c, 0x01,                                     // or al, 1
        0x0f, 0x22, 0xc0,                               // mov cr0, eax
        0x66, 0xea, 0x20, 0xff, 0xff, 0xff, 0x08, 0x00, // jmp 8:0xffffff20
    ]);
    #[rustfmt::skip]
    const PROTECTED_MODE: (usize, [u8; 27]) = (0xff20, [
        0xb8, 0x07, 0x00, 0x00, 0x00, // mov eax, 7
        0x31, 0xc9,                   // xor ecx, ecx
        0x0f, 0xa2,                   // cpuid
        0xf6, 0xc3, 0x08,             // test bl, 8 (BMI1)
        0x74, 0x05,                   // jz over the next
        0xc4, 0xe2, 0x78, 0xf2, 0xc0, // andn eax, eax, eax
        0x66, 0xba, 0x01, 0x05,       // mov dx, 0x501
        0xb0, PROBE_VALUE,            // mov al, PROBE_VALUE
        0xee,                         // out dx, al
        0xf4,                         // hlt
    ]);
    #[rustfmt::skip]
    const SEGMENTS: (usize, [u8; 32]) = (0xff50, [
        0x17, 0x00, 0x58, 0xff, 0xff, 0xff, 0, 0,       // limit and address of what follows
        0, 0, 0, 0, 0, 0, 0, 0,
        0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0,             // code: all 4 GiB
        0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0,             // data: all 4 GiB
    ]);
    let mut firmware = vec![0xf4; SIZE];
    let mut put = |at: usize, bytes: &[u8]| firmware[at..at + bytes.len()].copy_from_slice(bytes);
    put(RESET_VECTOR.0, &RESET_VECTOR.1);
    put(REAL_MODE.0, &REAL_MODE.1);
    put(PROTECTED_MODE.0, &PROTECTED_MODE.1);
    put(SEGMENTS.0, &SEGMENTS.1);
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

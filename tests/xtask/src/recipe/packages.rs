//! Packages of this machine, and packages that are only unpacked.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::Debootstrap;
use crate::apt::missing;
use crate::namespace::Enter;
use crate::schedule::Workplace;
use crate::step::{Kept, Lane, Step};

/// What this machine itself needs: a maker of Debian trees, the static libffi of the interpreter, and (with libclang,
/// whose name has a version in it) the reader of Nix's headers.
const MACHINE: [&str; 4] = [
    "mmdebstrap",
    "debian-archive-keyring",
    "libffi-dev",
    "libc6-dev",
];

/// Sources of QEMU, the kernel and the tools (tesseract reads English, and nothing else). Recommended packages (a desktop's libraries, among others) are left out.
const UNPACKED: [&str; 10] = [
    "qemu-system-x86",
    "qemu-utils",
    "e2fsprogs",
    "erofs-utils",
    "patchelf",
    "busybox-static",
    "linux-image-cloud-amd64",
    "kmod",
    "tesseract-ocr",
    "tesseract-ocr-eng",
];

/// Installs what this machine lacks. Looks each time, since packages come and go without us.
pub(super) fn of_machine() -> Step {
    Step {
        name: "machine",
        about: "packages of this machine",
        lane: Lane::Network,
        kept: Kept::Never,
        needs: &[],
        recipe: Vec::new(),
        make: Box::new(install),
    }
}

fn install(place: &Workplace) -> Result<()> {
    // libclang's packages carry its version in their name: apt knows which one this release has.
    if missing(&MACHINE)?.is_empty() && !missing_libclang(place)? {
        return Ok(());
    }
    apt_get(place, &["update"])?;
    let version = libclang_version(place)?;
    let libclang = [
        format!("libclang1-{version}"),
        format!("libclang-common-{version}-dev"),
    ];
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(missing(&MACHINE)?);
    arguments.extend(libclang.iter().map(String::as_str));
    apt_get(place, &arguments)
}

fn apt_get(place: &Workplace, arguments: &[&str]) -> Result<()> {
    let program = ["apt-get"]
        .iter()
        .chain(arguments)
        .map(ToString::to_string)
        .collect();
    let enter = Enter {
        program,
        ..Enter::default()
    };
    place.run(enter.command().env("DEBIAN_FRONTEND", "noninteractive"))
}

/// Whether no version of libclang with its headers is installed.
fn missing_libclang(place: &Workplace) -> Result<bool> {
    let query = ["-W", "-f", "${db:Status-Status} ${Package}\\n", "libclang*"];
    // It fails when it knows no package of such a name.
    let listed = place
        .output(Command::new("dpkg-query").args(query))
        .unwrap_or_default();
    let installed = |prefix: &str| {
        listed
            .lines()
            .any(|line| line.starts_with(&format!("installed {prefix}")))
    };
    Ok(!(installed("libclang1-") && installed("libclang-common-")))
}

fn libclang_version(place: &Workplace) -> Result<String> {
    let depends = place.output(Command::new("apt-cache").args(["depends", "libclang-dev"]))?;
    let version = depends.split("libclang-").find_map(|text| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        (!digits.is_empty()).then_some(digits)
    });
    version.context("apt does not know which version of libclang this release has")
}

/// Unpacks packages into a tree without installing them: only their files are of use.
pub(super) fn extracted() -> Step {
    Step {
        name: "packages",
        about: "packages of QEMU and the kernel",
        lane: Lane::Network,
        kept: Kept::ByRecipe,
        needs: &["machine"],
        recipe: Debootstrap::recipe("extract", &UNPACKED),
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            let target = place.dir.join("tree");
            let debootstrap = Debootstrap {
                variant: "extract",
                include: &UNPACKED,
                hook: None,
                sources: false,
                target: &target,
            };
            place.run(&mut debootstrap.command(&scratch)?)
        }),
    }
}

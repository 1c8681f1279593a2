//! What machines start from other than a kernel that QEMU loads: firmware, boot loaders, a TPM, and the tools that make disks with
//! them. Packages and bundles of their own, so that they come and go without the ones that everything needs.

use std::process::Command;

use super::Debootstrap;
use crate::step::{Kept, Lane, Step};

const PACKAGES: [&str; 15] = [
    "ovmf",
    "grub-pc-bin",
    "grub-efi-amd64-bin",
    "grub-common",
    "systemd-boot-efi",
    "systemd-boot-tools",
    "efibootmgr",
    "dosfstools",
    "e2fsprogs",
    "libarchive13t64",
    "fdisk",
    "mtools",
    "swtpm",
    "swtpm-tools",
    "tpm2-tools",
];

const SCRIPT: &str = include_str!("../../recipe/boot.sh");
const LIBRARIES: &str = include_str!("../../recipe/libraries.sh");

pub(super) fn packages() -> Step {
    Step {
        name: "boot-packages",
        about: "packages of boot loaders and firmware",
        lane: Lane::Network,
        kept: Kept::ByRecipe,
        needs: &["machine"],
        recipe: Debootstrap::recipe("extract", &PACKAGES),
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            let target = place.dir.join("tree");
            let debootstrap = Debootstrap {
                variant: "extract",
                include: &PACKAGES,
                hook: None,
                sources: false,
                target: &target,
            };
            place.run(&mut debootstrap.command(&scratch)?)
        }),
    }
}

pub(super) fn bundles() -> Step {
    Step {
        name: "boot-bundles",
        about: "boot loaders and firmware",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["boot-packages"],
        recipe: vec![SCRIPT.into(), LIBRARIES.into()],
        make: Box::new(|place| {
            let packages = place.result("boot-packages")?.join("tree");
            place.script("libraries.sh", LIBRARIES)?;
            place.run(
                Command::new(place.script("boot.sh", SCRIPT)?)
                    .arg(packages)
                    .arg(&place.dir),
            )
        }),
    }
}

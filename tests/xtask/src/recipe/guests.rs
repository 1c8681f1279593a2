//! The two guests that tests boot: nothing in them knows of vmtest.

use std::process::Command;

use super::{Debootstrap, EPOCH};
use crate::step::{Kept, Lane, Step};

/// What the author of a test expects on a Debian server.
const DEBIAN: [&str; 18] = [
    "ca-certificates",
    "curl",
    "dbus",
    "e2fsprogs",
    "ethtool",
    "file",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "login",
    "netcat-openbsd",
    "passwd",
    "procps",
    "systemd",
    "systemd-sysv",
    "udev",
];

const DEBIAN_HOOK: &str = include_str!("../../recipe/debian.sh");
const BUSYBOX_SCRIPT: &str = include_str!("../../recipe/busybox.sh");

/// Debian with systemd, as an archive: a directory of the store would lose owners, modes and setuid bits.
pub(super) fn debian() -> Step {
    Step {
        name: "debian",
        about: "Debian guest",
        lane: Lane::Network,
        kept: Kept::ByRecipe,
        needs: &["machine"],
        recipe: [
            Debootstrap::recipe("essential", &DEBIAN),
            vec![DEBIAN_HOOK.into()],
        ]
        .concat(),
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            let hook = place.script("debian.sh", DEBIAN_HOOK)?;
            let target = place.dir.join("debian.tar");
            let debootstrap = Debootstrap {
                variant: "essential",
                include: &DEBIAN,
                hook: Some(&hook),
                sources: false,
                target: &target,
            };
            place.run(&mut debootstrap.command(&scratch)?)
        }),
    }
}

/// One static program with an init of a few lines.
pub(super) fn busybox() -> Step {
    Step {
        name: "busybox",
        about: "busybox guest",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["packages"],
        recipe: vec![EPOCH.into(), BUSYBOX_SCRIPT.into()],
        make: Box::new(|place| {
            let packages = place.result("packages")?.join("tree");
            let mut command = Command::new(place.script("busybox.sh", BUSYBOX_SCRIPT)?);
            place.run(
                command
                    .arg(packages)
                    .arg(&place.dir)
                    .env("SOURCE_DATE_EPOCH", EPOCH),
            )
        }),
    }
}

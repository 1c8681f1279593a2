//! The steps from a bare machine to a ready toolbox.

mod boot;
mod browser;
mod guest_nix;
mod guests;
mod kernel;
mod nix;
mod objects;
mod packages;
mod programs;
mod qemu;
mod root;
mod userland;

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::apt::{self, Mirror, SUITE};
use crate::namespace::Enter;
use crate::step::Step;
use crate::toolbox::Toolbox;

/// All steps, each after what it needs.
pub(crate) fn steps(toolbox: &Toolbox) -> Vec<Step> {
    vec![
        packages::of_machine(),
        root::step(),
        packages::extracted(),
        guests::debian(),
        programs::step(toolbox),
        nix::step(),
        qemu::step(),
        kernel::step(),
        guests::busybox(),
        objects::step(toolbox),
        boot::packages(),
        boot::bundles(),
        guest_nix::step(),
        objects::further(toolbox),
        userland::step(toolbox),
        programs::plugin(toolbox),
    ]
}

/// The steps to a browser, apart from the others: only tests of pages need it.
pub(crate) fn browser() -> Vec<Step> {
    vec![packages::of_machine(), browser::step()]
}

/// Time stamps of what is made: the start of 2025. Part of the results, so of the recipes that use it.
const EPOCH: &str = "1735689600";

/// Fetches no more than is asked for.
const APT_SETTINGS: [&str; 2] = [
    "Acquire::Languages \"none\";",
    "APT::Install-Recommends \"false\";",
];

/// A tree that a power cut spoils is made again, so dpkg need not wait for the disk. (dpkg could leave out what nobody
/// reads too, but mmdebstrap then filters each package with a slow program of its own: the hooks remove it.)
const DPKG_SETTINGS: [&str; 1] = ["force-unsafe-io"];

/// A run of mmdebstrap, which makes a tree of Debian packages.
struct Debootstrap<'a> {
    /// mmdebstrap's word for what is in the tree beside `include`.
    variant: &'a str,
    include: &'a [&'a str],
    /// Script that is given the tree before it is finished.
    hook: Option<&'a Path>,
    /// Whether source packages can be fetched.
    sources: bool,
    target: &'a Path,
}

impl Debootstrap<'_> {
    /// What decides the result, but for the text of the hook.
    fn recipe(variant: &str, include: &[&str]) -> Vec<String> {
        let mut recipe = vec![SUITE.to_owned(), EPOCH.to_owned(), variant.to_owned()];
        recipe.extend(APT_SETTINGS.map(str::to_owned));
        recipe.extend(DPKG_SETTINGS.map(str::to_owned));
        recipe.extend(include.iter().map(ToString::to_string));
        recipe
    }

    fn command(&self, scratch: &Path) -> Result<Command> {
        let mirror = Mirror::of_machine(Path::new("/etc/apt"), &apt::codename()?)?;
        let list = scratch.join("sources.list");
        std::fs::write(&list, mirror.sources_list(self.sources))
            .with_context(|| format!("cannot write {}", list.display()))?;

        let mut program = vec!["mmdebstrap".to_owned(), "--mode=root".to_owned()];
        program.push(format!("--variant={}", self.variant));
        program.push(format!("--include={}", self.include.join(",")));
        let settings = apt::fetch_settings()?;
        let own = [
            "Acquire::Languages \"none\";",
            "APT::Install-Recommends \"false\";",
        ];
        program.extend(own.map(|setting| format!("--aptopt={setting}")));
        program.extend(settings.iter().map(|setting| format!("--aptopt={setting}")));
        program.extend(DPKG_SETTINGS.map(|setting| format!("--dpkgopt={setting}")));
        if let Some(hook) = self.hook {
            program.push(format!("--customize-hook={}", hook.display()));
        }
        program.push(SUITE.to_owned());
        program.push(self.target.display().to_string());
        program.push(list.display().to_string());

        let mut command = Enter {
            program,
            ..Enter::default()
        }
        .command();
        command
            .env("SOURCE_DATE_EPOCH", EPOCH)
            .env("TMPDIR", scratch)
            .env("LC_ALL", "C.UTF-8");
        Ok(command)
    }
}

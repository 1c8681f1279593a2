//! The Debian root in which Nix is built and runs.

use super::Debootstrap;
use crate::step::{Kept, Lane, Step};

/// Beside what Debian's source package of Nix asks for: a fast linker, and a static shell for Nix's sandbox.
/// `less`, `git` and the like are what one misses in `cargo xtask shell`.
const PACKAGES: [&str; 6] = ["bash-static", "dpkg-dev", "git", "less", "mold", "procps"];

const HOOK: &str = include_str!("../../recipe/root.sh");

pub(super) fn step() -> Step {
    Step {
        name: "root",
        about: "Debian root for Nix",
        lane: Lane::Network,
        kept: Kept::ByRecipe,
        needs: &["machine"],
        recipe: [Debootstrap::recipe("apt", &PACKAGES), vec![HOOK.into()]].concat(),
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            let hook = place.script("root.sh", HOOK)?;
            let target = place.dir.join("tree");
            let debootstrap = Debootstrap {
                variant: "apt",
                include: &PACKAGES,
                hook: Some(&hook),
                sources: true,
                target: &target,
            };
            place.run(&mut debootstrap.command(&scratch)?)
        }),
    }
}

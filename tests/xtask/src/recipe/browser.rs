//! A browser for the tests of reports. No other step needs it, so that nobody waits for it who does not run all tests.

use super::Debootstrap;
use crate::step::{Kept, Lane, Step};

const PACKAGES: [&str; 2] = ["chromium", "fonts-dejavu-core"];

pub(super) fn step() -> Step {
    Step {
        name: "browser",
        about: "browser for tests of pages",
        lane: Lane::Network,
        kept: Kept::ByRecipe,
        needs: &["machine"],
        recipe: Debootstrap::recipe("essential", &PACKAGES),
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            let target = place.dir.join("tree");
            let debootstrap = Debootstrap {
                variant: "essential",
                include: &PACKAGES,
                hook: None,
                sources: false,
                target: &target,
            };
            place.run(&mut debootstrap.command(&scratch)?)
        }),
    }
}

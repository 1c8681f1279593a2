//! The kernel of the guests.

use std::process::Command;

use crate::step::{Kept, Lane, Step};

const SCRIPT: &str = include_str!("../../recipe/kernel.sh");

pub(super) fn step() -> Step {
    Step {
        name: "kernel",
        about: "kernel of the guests",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["packages"],
        recipe: vec![SCRIPT.into()],
        make: Box::new(|place| {
            let packages = place.result("packages")?.join("tree");
            place.run(
                Command::new(place.script("kernel.sh", SCRIPT)?)
                    .arg(packages)
                    .arg(place.dir.join("kernel")),
            )
        }),
    }
}

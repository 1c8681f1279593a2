//! QEMU, the makers of file systems and the reader of screens, with all their libraries: bundles that need nothing around them.

use std::process::Command;

use crate::step::{Kept, Lane, Step};

const SCRIPT: &str = include_str!("../../recipe/bundle.sh");

pub(super) fn step() -> Step {
    Step {
        name: "bundles",
        about: "QEMU and its libraries",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["packages"],
        recipe: vec![SCRIPT.into()],
        make: Box::new(|place| {
            let packages = place.result("packages")?.join("tree");
            place.run(
                Command::new(place.script("bundle.sh", SCRIPT)?)
                    .arg(packages)
                    .arg(&place.dir),
            )
        }),
    }
}

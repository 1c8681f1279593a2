//! The toolbox's Nix for guests: a bundle that needs nothing around it.

use std::process::Command;

use crate::step::{Kept, Lane, Step};

const SCRIPT: &str = include_str!("../../recipe/guest-nix.sh");
const LIBRARIES: &str = include_str!("../../recipe/libraries.sh");

pub(super) fn step() -> Step {
    Step {
        name: "guest-nix",
        about: "Nix for guests",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["root", "nix"],
        recipe: vec![SCRIPT.into(), LIBRARIES.into()],
        make: Box::new(|place| {
            place.script("libraries.sh", LIBRARIES)?;
            place.run(
                Command::new(place.script("guest-nix.sh", SCRIPT)?)
                    .arg(place.result("nix")?)
                    .arg(place.result("root")?.join("tree"))
                    .arg(place.dir.join("nix")),
            )
        }),
    }
}

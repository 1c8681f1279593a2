//! The programs of a guest that has nothing outside its store: those of the Debian guest, as one store path.

use std::path::Path;
use std::process::Command;

use crate::step::{Kept, Lane, Step};
use crate::toolbox::Toolbox;

const SCRIPT: &str = include_str!("../../recipe/userland.sh");
const EXPRESSION: &str = include_str!("../../recipe/userland.nix");
const RELOCATE: &str = include_str!("../../recipe/userland-relocate.sh");

/// File in the result of the step that names the store path.
pub(super) const PATH_FILE: &str = "path";

pub(super) fn step(toolbox: &Toolbox) -> Step {
    let toolbox = toolbox.clone();
    Step {
        name: "userland",
        about: "programs of NixOS-like guests",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["nix", "bundles", "debian"],
        recipe: vec![SCRIPT.into(), EXPRESSION.into(), RELOCATE.into()],
        make: Box::new(move |place| {
            let relocator = place.result("bundles")?.join("relocator");
            let userland = place.scratch()?.join("userland");
            place.run(
                Command::new(place.script("userland.sh", SCRIPT)?)
                    .arg(place.result("debian")?.join("debian.tar"))
                    .arg(&relocator)
                    .arg(&userland),
            )?;
            let bundle = toolbox.add_to_store(place, &userland)?;
            let relocator = toolbox.add_to_store(place, &relocator)?;

            place.script("userland-relocate.sh", RELOCATE)?;
            let expression = place.script("userland.nix", EXPRESSION)?;
            let arguments = [
                "nix-build",
                "--no-out-link",
                &expression.display().to_string(),
                "--argstr",
                "bundle",
                &bundle,
                "--argstr",
                "relocator",
                &relocator,
            ];
            let path = place.output(&mut toolbox.enter(&arguments, Path::new("/"), false))?;
            toolbox.keep_in_store("toolbox-userland", &path)?;
            Ok(std::fs::write(place.dir.join(PATH_FILE), path)?)
        }),
    }
}

//! Nix, built from Debian's source package so that it can load plugins.

use std::path::Path;

use anyhow::Result;

use crate::namespace::Enter;
use crate::step::{Kept, Lane, Step};
use crate::toolbox::INSIDE_PATH;

const SCRIPT: &str = include_str!("../../recipe/nix.sh");

/// Where the script, and where the work, is seen inside the root.
const INSIDE: &str = "/build";

pub(super) fn step() -> Step {
    Step {
        name: "nix",
        about: "Nix with shared libraries",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["root"],
        recipe: vec![SCRIPT.into()],
        make: Box::new(|place| {
            let scratch = place.scratch()?;
            place.script("nix.sh", SCRIPT)?;
            let enter = Enter {
                root: Some(place.result("root")?.join("tree")),
                bind: vec![shown(&scratch, INSIDE), shown(&place.dir, "/usr/local")],
                program: ["sh", "/build/nix.sh", INSIDE].map(Into::into).into(),
                ..Enter::default()
            };
            place.run(
                enter
                    .command()
                    .env("PATH", INSIDE_PATH)
                    .env("LC_ALL", "C.UTF-8"),
            )?;
            tidy(&place.dir)
        }),
    }
}

fn shown(source: &Path, target: &str) -> String {
    format!("{}:{target}", source.display())
}

/// Removes what no one uses: what is installed for init systems and shells of other machines.
fn tidy(dir: &Path) -> Result<()> {
    for name in ["etc", "share"] {
        crate::cache::remove(&dir.join(name))?;
    }
    Ok(())
}

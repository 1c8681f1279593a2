//! QEMU, kernel and guests as paths of the private store, so that a sandbox sees them as it would see nixpkgs' own.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::schedule::Workplace;
use crate::step::{Kept, Lane, Step};
use crate::toolbox::Toolbox;

const EXPRESSION: &str = include_str!("../../recipe/relocate.nix");
const SCRIPT: &str = include_str!("../../recipe/relocate.sh");

/// Names of the attributes, and of the bundles that they are made of.
const BUNDLES: [(&str, &str); 4] = [
    ("qemu", "qemu"),
    ("e2fsprogs", "e2fsprogs"),
    ("erofsUtils", "erofs-utils"),
    ("tesseract", "tesseract"),
];

/// Names of the attributes, of the steps that make them, and of the files there.
const PLAIN: [(&str, &str, &str); 3] = [
    ("kernel", "kernel", "kernel"),
    ("debian", "debian", "debian.tar"),
    ("busybox", "busybox", "busybox.tar"),
];

pub(super) fn step(toolbox: &Toolbox) -> Step {
    let toolbox = toolbox.clone();
    Step {
        name: "store",
        about: "QEMU, kernel and guests into the store",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["nix", "bundles", "kernel", "debian", "busybox"],
        recipe: vec![EXPRESSION.into(), SCRIPT.into()],
        make: Box::new(move |place| {
            let mut paths = BTreeMap::new();
            for (attribute, step, file) in PLAIN {
                let path = place.result(step)?.join(file);
                paths.insert(attribute, toolbox.add_to_store(place, &path)?);
            }
            let bundles = place.result("bundles")?;
            let relocator = toolbox.add_to_store(place, &bundles.join("relocator"))?;
            for (attribute, name) in BUNDLES {
                let bundle = toolbox.add_to_store(place, &bundles.join(name))?;
                paths.insert(
                    attribute,
                    relocate(&toolbox, place, name, &bundle, &relocator)?,
                );
            }
            for (attribute, path) in &paths {
                toolbox.keep_in_store(&format!("toolbox-{attribute}"), path)?;
            }
            Ok(std::fs::write(
                place.dir.join("paths.json"),
                serde_json::to_vec(&paths)?,
            )?)
        }),
    }
}

fn relocate(
    toolbox: &Toolbox,
    place: &Workplace,
    name: &str,
    bundle: &str,
    relocator: &str,
) -> Result<String> {
    place.script("relocate.sh", SCRIPT)?;
    let expression = place.script("relocate.nix", EXPRESSION)?;
    let arguments = [
        "nix-build",
        "--no-out-link",
        &expression.display().to_string(),
        "--argstr",
        "name",
        name,
        "--argstr",
        "bundle",
        bundle,
        "--argstr",
        "relocator",
        relocator,
    ];
    place.output(&mut toolbox.enter(&arguments, Path::new("/"), false))
}

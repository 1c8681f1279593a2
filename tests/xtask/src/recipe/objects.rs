//! QEMU, kernel, guests, boot loaders and the like as paths of the private store, so that a sandbox sees them as it would see nixpkgs'
//! own.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::schedule::Workplace;
use crate::step::{Kept, Lane, Make, Step};
use crate::toolbox::Toolbox;

const EXPRESSION: &str = include_str!("../../recipe/relocate.nix");
const SCRIPT: &str = include_str!("../../recipe/relocate.sh");

/// File in the result of such a step that names the store paths.
pub(super) const PATHS_FILE: &str = "paths.json";

/// What goes into the store by one step.
struct Objects {
    /// Names of the attributes, of the steps that make them, and of the bundles there: programs that are told where they lie.
    bundles: &'static [(&'static str, &'static str, &'static str)],
    /// Names of the attributes, of the steps that make them, and of the files there: taken as they are.
    plain: &'static [(&'static str, &'static str, &'static str)],
}

/// What all tests need.
const COMMON: Objects = Objects {
    bundles: &[
        ("qemu", "bundles", "qemu"),
        ("e2fsprogs", "bundles", "e2fsprogs"),
        ("erofsUtils", "bundles", "erofs-utils"),
        ("tesseract", "bundles", "tesseract"),
    ],
    plain: &[
        ("kernel", "kernel", "kernel"),
        ("debian", "debian", "debian.tar"),
        ("busybox", "busybox", "busybox.tar"),
    ],
};

/// What machines need that start from a disk, or have Nix.
const FURTHER: Objects = Objects {
    bundles: &[
        ("bootLoaders", "boot-bundles", "boot-loaders"),
        ("diskTools", "boot-bundles", "disk-tools"),
        ("swtpm", "boot-bundles", "swtpm"),
        ("tpm2Tools", "boot-bundles", "tpm2-tools"),
        ("guestNix", "guest-nix", "nix"),
    ],
    plain: &[("ovmf", "boot-bundles", "ovmf")],
};

pub(super) fn step(toolbox: &Toolbox) -> Step {
    Step {
        name: "store",
        about: "QEMU, kernel and guests into the store",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["nix", "bundles", "kernel", "debian", "busybox"],
        recipe: vec![EXPRESSION.into(), SCRIPT.into()],
        make: make(toolbox, &COMMON),
    }
}

pub(super) fn further(toolbox: &Toolbox) -> Step {
    Step {
        name: "further-store",
        about: "boot loaders, firmware and Nix into the store",
        lane: Lane::Processor,
        kept: Kept::ByRecipe,
        needs: &["nix", "bundles", "boot-bundles", "guest-nix"],
        recipe: vec![EXPRESSION.into(), SCRIPT.into()],
        make: make(toolbox, &FURTHER),
    }
}

fn make(toolbox: &Toolbox, objects: &'static Objects) -> Make {
    let toolbox = toolbox.clone();
    Box::new(move |place| {
        let mut paths = BTreeMap::new();
        for (attribute, step, file) in objects.plain {
            let path = place.result(step)?.join(file);
            paths.insert(attribute, toolbox.add_to_store(place, &path)?);
        }
        let relocator = place.result("bundles")?.join("relocator");
        let relocator = toolbox.add_to_store(place, &relocator)?;
        for (attribute, step, name) in objects.bundles {
            let bundle = place.result(step)?.join(name);
            let bundle = toolbox.add_to_store(place, &bundle)?;
            let path = relocate(&toolbox, place, name, &bundle, &relocator)?;
            paths.insert(attribute, path);
        }
        for (attribute, path) in &paths {
            toolbox.keep_in_store(&format!("toolbox-{attribute}"), path)?;
        }
        Ok(std::fs::write(
            place.dir.join(PATHS_FILE),
            serde_json::to_vec(&paths)?,
        )?)
    })
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

//! The programs of this project: runner and agent, which are static, and the plugin, which fits the toolbox's Nix.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{objects, userland};
use crate::schedule::Workplace;
use crate::step::{Kept, Lane, Step};
use crate::toolbox::{Program, Toolbox};

/// Builds runner and agent. cargo knows what has changed.
pub(super) fn step(toolbox: &Toolbox) -> Step {
    let toolbox = toolbox.clone();
    Step {
        name: "programs",
        about: "runner and agent",
        lane: Lane::Processor,
        kept: Kept::Never,
        needs: &["machine"],
        recipe: Vec::new(),
        make: Box::new(move |place| {
            for program in Toolbox::PROGRAMS {
                let build = ["build", "--profile", program.profile, "-p", program.name];
                place.run(
                    toolbox
                        .cargo_step(&build)
                        .envs(Toolbox::static_environment()),
                )?;
                let target = toolbox.clone_dir().join(program.name).join("bin");
                fs::create_dir_all(&target)?;
                let built = toolbox.static_output(program.profile).join(program.name);
                replace(&built, &target.join(program.name))?;
            }
            Ok(())
        }),
    }
}

/// Adds the programs to the store, writes the list of all tools, and builds the plugin, which holds some of them.
pub(super) fn plugin(toolbox: &Toolbox) -> Step {
    let toolbox = toolbox.clone();
    Step {
        name: "plugin",
        about: "plugin",
        lane: Lane::Processor,
        kept: Kept::Never,
        needs: &["programs", "nix", "store", "further-store", "userland"],
        recipe: Vec::new(),
        make: Box::new(move |place| {
            write_tools(&toolbox, place)?;
            let build = ["build", "--release", "-p", "nix-vmtest-plugin"];
            place.run(
                toolbox
                    .cargo_step(&build)
                    .envs(toolbox.plugin_environment()?),
            )?;
            let file = "libnix_vmtest_plugin.so";
            replace(
                &toolbox.cargo_dir().join("release").join(file),
                &toolbox.plugin(),
            )
        }),
    }
}

fn write_tools(toolbox: &Toolbox, place: &Workplace) -> Result<()> {
    let mut tools = serde_json::Map::new();
    for step in ["store", "further-store"] {
        let paths = fs::read_to_string(place.result(step)?.join(objects::PATHS_FILE))?;
        tools.extend(serde_json::from_str::<serde_json::Map<_, _>>(&paths)?);
    }
    let userland = fs::read_to_string(place.result("userland")?.join(userland::PATH_FILE))?;
    tools.insert("userland".into(), userland.into());
    for Program {
        name, attribute, ..
    } in Toolbox::PROGRAMS
    {
        let path = toolbox.add_to_store(place, &toolbox.clone_dir().join(name))?;
        toolbox.keep_in_store(&format!("{}-{name}", toolbox.id()), &path)?;
        tools.insert(attribute.to_owned(), path.into());
    }
    tools.insert("system".into(), "x86_64-linux".into());
    toolbox.write_tools(&tools)
}

/// Copies without ever writing into a file that somebody may have open.
fn replace(source: &Path, target: &Path) -> Result<()> {
    let part = target.with_extension("part");
    fs::copy(source, &part).with_context(|| format!("cannot copy {}", source.display()))?;
    fs::rename(&part, target).with_context(|| format!("cannot name {}", target.display()))
}

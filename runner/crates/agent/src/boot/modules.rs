//! Kernel modules, loaded in the order in which the runner lists them.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;
use rustix::system::finit_module;
use thiserror::Error;
use vmtest_protocol::boot::{MODULES_DIR, Module};

use crate::kmsg::{Level, note};

/// Why a module is not there.
#[derive(Debug, Error)]
pub(super) enum ModuleError {
    #[error("cannot open the kernel module {name}: {source}")]
    Open {
        name: String,
        source: std::io::Error,
    },
    #[error("the kernel does not take the module {name}: {source}")]
    Load { name: String, source: Errno },
}

/// Loads every module; one that is there already is fine, and one that is not required may be refused.
pub(super) fn load(modules: &[Module]) -> Result<(), ModuleError> {
    for module in modules {
        match insert(&module.file) {
            Err(ModuleError::Load { name, source }) if !module.required => {
                let text = format!("the kernel does without the module {name}: {source}");
                note(Level::Info, &text);
            }
            result => result?,
        }
    }
    Ok(())
}

fn insert(name: &str) -> Result<(), ModuleError> {
    let open = |source| ModuleError::Open {
        name: name.to_owned(),
        source,
    };
    let file = File::open(Path::new(MODULES_DIR).join(name)).map_err(open)?;
    match finit_module(file, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(source) => Err(ModuleError::Load {
            name: name.to_owned(),
            source,
        }),
    }
}

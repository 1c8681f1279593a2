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

/// A module whose file is open.
#[derive(Debug)]
pub(super) struct Open {
    module: Module,
    file: File,
}

/// Opens the files of modules.
pub(super) fn open(modules: &[Module]) -> Result<Vec<Open>, ModuleError> {
    let open = |module: &Module| match File::open(Path::new(MODULES_DIR).join(&module.file)) {
        Ok(file) => Ok(Open {
            module: module.clone(),
            file,
        }),
        Err(source) => Err(ModuleError::Open {
            name: module.file.clone(),
            source,
        }),
    };
    modules.iter().map(open).collect()
}

/// Loads every module; one that is there already is fine, and one that is not required may be refused.
pub(super) fn load(modules: Vec<Open>) -> Result<(), ModuleError> {
    for Open { module, file } in modules {
        match finit_module(file, c"", 0) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(source) if !module.required => {
                let text = format!(
                    "the kernel does without the module {}: {source}",
                    module.file
                );
                note(Level::Info, &text);
            }
            Err(source) => {
                return Err(ModuleError::Load {
                    name: module.file,
                    source,
                });
            }
        }
    }
    Ok(())
}

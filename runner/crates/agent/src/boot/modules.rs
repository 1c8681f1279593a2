//! Kernel modules, loaded in the order in which the runner lists them.

use std::fs::File;
use std::path::Path;

use rustix::io::Errno;
use rustix::system::finit_module;
use thiserror::Error;
use vmtest_protocol::boot::MODULES_DIR;

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

/// Loads every module; one that is there already is fine.
pub(super) fn load(names: &[String]) -> Result<(), ModuleError> {
    for name in names {
        let file =
            File::open(Path::new(MODULES_DIR).join(name)).map_err(|source| ModuleError::Open {
                name: name.clone(),
                source,
            })?;
        match finit_module(file, c"", 0) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(source) => {
                return Err(ModuleError::Load {
                    name: name.clone(),
                    source,
                });
            }
        }
    }
    Ok(())
}

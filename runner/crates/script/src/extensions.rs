//! Python packages from outside: where they are found, and why compiled ones do not work.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rustpython_vm::builtins::PyStrRef;
use rustpython_vm::class::PyClassImpl;
use rustpython_vm::function::OptionalArg;
use rustpython_vm::{PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::paths;

/// Has modules be found in these folders and nowhere else; those of the standard library are built in.
pub(crate) fn set_path(folders: &[PathBuf], vm: &VirtualMachine) -> PyResult<()> {
    let path = folders
        .iter()
        .flat_map(|folder| self::folders(folder))
        .map(|folder| vm.fsdecode(folder.as_os_str()).into())
        .collect();
    vm.sys_module.set_attr("path", vm.ctx.new_list(path), vm)?;
    CompiledModules::make_static_type();
    let finders = vm.sys_module.get_attr("meta_path", vm)?;
    vm.call_method(&finders, "append", (CompiledModules.into_ref(&vm.ctx),))
        .map(drop)
}

/// The folders in which modules of a package are found: the package itself, and what it has for Python.
#[must_use]
pub fn folders(package: &Path) -> Vec<PathBuf> {
    let mut folders = vec![package.to_owned()];
    folders.extend(site_packages(package));
    folders
}

/// The folders `lib/python3.*/site-packages` below a prefix, in the order of their names.
fn site_packages(prefix: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(prefix.join("lib")) else {
        return Vec::new();
    };
    let is_python = |name: &OsStr| name.to_string_lossy().starts_with("python3");
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| is_python(&entry.file_name()))
        .map(|entry| entry.path().join("site-packages"))
        .filter(|folder| folder.is_dir())
        .collect();
    found.sort();
    found
}

/// The last to be asked for a module: says so when there is one that is compiled for another interpreter.
#[pyclass(module = "test_driver", name = "CompiledModules")]
#[derive(Debug, PyPayload)]
struct CompiledModules;

#[pyclass]
impl CompiledModules {
    #[pymethod]
    fn find_spec(
        &self,
        name: PyStrRef,
        folders: OptionalArg<PyObjectRef>,
        _target: OptionalArg<PyObjectRef>,
        vm: &VirtualMachine,
    ) -> PyResult {
        let folders = match folders.into_option().filter(|folders| !vm.is_none(folders)) {
            Some(folders) => folders,
            None => vm.sys_module.get_attr("path", vm)?,
        };
        let folders: Vec<PyObjectRef> = vm.extract_elements_with(&folders, Ok)?;
        let full_name = name.to_string_lossy();
        let tail = full_name.rsplit('.').next().unwrap_or_default();
        for folder in folders {
            let folder = paths::from_python(&folder, vm)?;
            if let Some(file) = compiled(&folder, tail) {
                let message = format!(
                    "{full_name} is compiled for CPython ({}): the test script's interpreter runs only packages that are \
                     written in Python alone",
                    file.display()
                );
                return Err(vm.new_import_error(message, name));
            }
        }
        Ok(vm.ctx.none())
    }
}

/// The file of a compiled module of this name.
fn compiled(folder: &Path, module: &str) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.strip_suffix(".so")
            .is_some_and(|stem| stem.split('.').next() == Some(module))
    })
}

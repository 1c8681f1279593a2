//! Paths between Rust and Python.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustpython_vm::builtins::{PyBytes, PyStr};
use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine};

/// A `pathlib.Path`.
pub(crate) fn to_python(path: &Path, vm: &VirtualMachine) -> PyResult {
    let class = vm.import("pathlib", 0)?.get_attr("Path", vm)?;
    class.call((vm.fsdecode(path.as_os_str()),), vm)
}

/// A path of the host from a string, bytes or a `pathlib.Path`.
pub(crate) fn from_python(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<PathBuf> {
    let plain = match vm.get_attribute_opt(object.clone(), "__fspath__")? {
        Some(convert) => convert.call((), vm)?,
        None => object.clone(),
    };
    if let Some(text) = plain.downcast_ref::<PyStr>() {
        return Ok(PathBuf::from(vm.fsencode(text)?.into_owned()));
    }
    if let Some(bytes) = plain.downcast_ref::<PyBytes>() {
        return Ok(PathBuf::from(OsStr::from_bytes(bytes.as_bytes())));
    }
    Err(vm.new_type_error("expected a path: a string, bytes or os.PathLike object"))
}

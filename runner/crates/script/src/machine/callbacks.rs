//! The functions that a machine calls before each command, such as the driver's check of polling conditions.

use std::time::Duration;

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use crate::api::Function;

/// How long a wait goes on before the functions are called again.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) const FUNCTIONS: &[Function] = &[Function {
    name: "run_callbacks",
    params: &[],
    returns: "None",
    doc: "Calls every function in `callbacks`. That happens by itself before each command and every second of a wait: \
          it is how polling conditions are checked.",
    call: |machine, _arguments, vm| {
        for callback in list(machine, vm)? {
            callback.call((), vm)?;
        }
        Ok(vm.ctx.none())
    },
}];

/// Calls them, through the object.
pub(super) fn run(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    vm.call_method(machine, "run_callbacks", ()).map(drop)
}

/// How long a wait with this much time left goes on at most before they are to be called.
pub(super) fn slice(
    machine: &PyObject,
    left: Option<Duration>,
    vm: &VirtualMachine,
) -> PyResult<Option<Duration>> {
    if list(machine, vm)?.is_empty() {
        return Ok(left);
    }
    Ok(Some(left.map_or(INTERVAL, |left| left.min(INTERVAL))))
}

fn list(machine: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    match vm.get_attribute_opt(machine.to_owned(), "callbacks")? {
        Some(callbacks) => callbacks.try_into_value(vm),
        None => Ok(Vec::new()),
    }
}

//! The variables of a machine's UEFI firmware, while the machine is off.
//!
//! The format of their file is the Python module `test_driver.efi`'s affair.

use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::{attributes, name};
use crate::api::{Function, Param};
use crate::paths;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "create_efi_vars",
        params: &[],
        returns: "None",
        doc: "Makes an empty store of EFI variables for the machine, which is off. Fails when there is one.",
        call: |machine, _arguments, vm| vm.call_method(&*store(machine, vm)?, "create_empty", ()),
    },
    Function {
        name: "write_efi_vars",
        params: &[Param::required("add", "list[EfiVariable]")],
        returns: "None",
        doc: "Adds EFI variables to those of the machine, which is off, in place of those of the same name and vendor.",
        call: |machine, arguments, vm| {
            let add = arguments.get("add").clone();
            vm.call_method(&*store(machine, vm)?, "write", (add,))
        },
    },
    Function {
        name: "read_efi_vars",
        params: &[],
        returns: "list[EfiVariable]",
        doc: "Returns the EFI variables of the machine, which is off; none when it has no store of them.",
        call: |machine, _arguments, vm| Ok(vm.ctx.new_list(variables(machine, vm)?).into()),
    },
    Function {
        name: "dump_efi_vars",
        params: &[],
        returns: "None",
        doc: "Prints the EFI variables of the machine, which is off.",
        call: |machine, _arguments, vm| {
            for variable in variables(machine, vm)? {
                vm.call_method(&variable, "print", ())?;
            }
            Ok(vm.ctx.none())
        },
    },
];

/// The object `efi_vars`: the machine's store of variables.
pub(super) fn new_store(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
    let module = "test_driver.efi";
    vm.import(module, 0)?;
    let modules = vm.sys_module.get_attr("modules", vm)?;
    let class = modules.get_item(module, vm)?.get_attr("EfiVars", vm)?;
    let path = machine.get_attr("efi_vars_path", vm)?;
    class.call((path, machine.to_owned()), vm)
}

/// Where the store is, which a start command is told as `NIX_EFI_VARS`.
pub(super) fn default_path(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
    let file = format!("{}-efi-vars.fd", name(machine, vm)?);
    paths::to_python(&attributes::state_dir(machine, vm)?.join(file), vm)
}

fn store(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
    machine.get_attr("efi_vars", vm)
}

fn variables(machine: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    let content = vm.call_method(&*store(machine, vm)?, "read_content", ())?;
    if vm.is_none(&content) {
        return Ok(Vec::new());
    }
    let mut variables = Vec::new();
    for vendor in values(&content, vm)? {
        variables.extend(values(&vendor, vm)?);
    }
    Ok(variables)
}

fn values(dict: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    let values = vm.call_method(dict, "values", ())?;
    values.try_into_value(vm)
}

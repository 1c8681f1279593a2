//! Snapshots of several machines, taken at one moment.

use rustpython_vm::function::FuncArgs;
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::{all_machines, this};
use crate::api::{Function, Param};
use crate::{machine, modules, snapshot};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "snapshot",
        params: &[Param::rest("machines", "Machine")],
        returns: "Snapshot",
        doc: "Saves machines as they are at one moment: memory, devices and disks. Without arguments all that run. \
              They go on running, and can go back to what they were with restore(). \
              Commands that run meanwhile go on here, and are not there after a restore().",
        call: |driver, arguments, vm| {
            let machines = chosen(driver, arguments.rest(), vm)?;
            snapshot::take(&this(driver, vm)?.session, &machines, vm)
        },
    },
    Function {
        name: "restore",
        params: &[Param::required("snapshot", "Snapshot")],
        returns: "None",
        doc: "Has the machines of a snapshot go back to it, all at once, whatever they do now: a machine that is off runs again. \
              Their clocks tell the time of day, their random numbers are new, ports of the host lead into them as then, \
              and calls that are under way in them on other threads fail.",
        call: |driver, arguments, vm| {
            let machines = all_machines(driver, vm)?;
            let session = &this(driver, vm)?.session;
            snapshot::go_back(session, arguments.get("snapshot"), &machines, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "pristine",
        params: &[Param::rest("machines", "Machine")],
        returns: "AbstractContextManager[Snapshot]",
        doc: "A context manager, and a decorator, whose block leaves nothing behind in the machines (without arguments: all that \
              run): it takes a snapshot before the block and goes back to it after, also when the block fails. For instance: \
              `with subtest(\"a disk fails\"), pristine(server): …`.",
        call: |driver, arguments, vm| {
            let make = modules::import_from("test_driver.snapshot", "make", vm)?;
            let mut values: Vec<PyObjectRef> = vec![driver.to_owned()];
            values.extend(arguments.rest().iter().cloned());
            make.call(FuncArgs::from(values), vm)
        },
    },
];

/// The machines that are named, in lists or one by one; if none is, those that run.
fn chosen(
    driver: &PyObject,
    named: &[PyObjectRef],
    vm: &VirtualMachine,
) -> PyResult<Vec<PyObjectRef>> {
    let mut machines = Vec::new();
    for named in named {
        match named.downcast_ref::<rustpython_vm::builtins::PyList>() {
            Some(list) => machines.extend(list.borrow_vec().iter().cloned()),
            None => machines.push(named.clone()),
        }
    }
    if !named.is_empty() {
        return Ok(machines);
    }
    for machine in all_machines(driver, vm)? {
        if machine::is_running(&machine, vm)? {
            machines.push(machine);
        }
    }
    match machines.is_empty() {
        true => Err(this(driver, vm)?.session.failed(
            "no machine runs that a snapshot could be taken of".to_owned(),
            vm,
        )),
        false => Ok(machines),
    }
}

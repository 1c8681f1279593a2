//! Snapshots of one machine.

use std::slice;

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{backend_of, console, link_of, power, this};
use crate::api::{Function, Param};
use crate::snapshot;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "snapshot",
        params: &[],
        returns: "Snapshot",
        doc: "Saves the machine as it is: memory, devices and disks. It goes on running, and can go back with restore(). \
              For several machines at one moment: `snapshot(a, b)`.",
        call: |machine, _arguments, vm| {
            let session = &this(machine, vm)?.session;
            snapshot::take(session, slice::from_ref(&machine.to_owned()), vm)
        },
    },
    Function {
        name: "restore",
        params: &[Param::required("snapshot", "Snapshot")],
        returns: "None",
        doc: "Has the machine go back to what it was in a snapshot of it, whatever it does now; other machines of the snapshot stay \
              as they are. Its clock tells the time of day, its random numbers are new, and calls that are under way in it on \
              other threads fail.",
        call: |machine, arguments, vm| {
            let session = &this(machine, vm)?.session;
            let machines = [machine.to_owned()];
            snapshot::go_back(session, arguments.get("snapshot"), &machines, vm)?;
            Ok(vm.ctx.none())
        },
    },
];

/// Has a machine so far that a snapshot can be taken of it; gives its name.
pub(crate) fn reach(machine: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
    power::ensure_reachable(machine, vm)?;
    backend_name(machine, vm)
}

/// The name that the runner knows a machine by.
pub(crate) fn backend_name(machine: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
    Ok(backend_of(machine, vm)?.name().to_owned())
}

/// Whether the machine was started, and its end was not seen.
pub(crate) fn is_running(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    power::is_booted(machine, vm)
}

/// The machine runs, and nothing is true any more of what it was.
pub(crate) fn begin_anew(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let link = link_of(machine, vm)?;
    console::begin_run(&link);
    link.forget_boot();
    link.set_booted(true);
    power::set_process(machine, vm)
}

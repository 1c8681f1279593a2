//! Snapshots: machines go back to what they were.

use std::sync::Arc;

use rustpython_vm::types::Representable;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::api::{Access, Class, Property};
use crate::machine;
use crate::session::Session;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    properties: PROPERTIES,
    ..Class::new(
        "Snapshot",
        "test_driver.snapshot",
        "What machines were at one moment: memory, devices and disks. Shared folders are not part of it.",
    )
};

/// A snapshot. With the object it is forgotten.
#[pyclass(module = "test_driver.snapshot", name = "Snapshot")]
#[derive(Debug, PyPayload)]
pub(crate) struct Snapshot {
    session: Arc<Session>,
    number: u64,
    machines: Vec<String>,
}

const PROPERTIES: &[Property] = &[Property {
    name: "machines",
    type_name: "list[str]",
    doc: "The names of its machines.",
    get: |snapshot, vm| {
        let names = this(snapshot, vm)?.machines.iter();
        let names = names.map(|name| vm.ctx.new_str(name.as_str()).into());
        Ok(vm.ctx.new_list(names.collect()).into())
    },
    access: Access::ReadOnly,
}];

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.session.driver().forget_snapshot(self.number);
    }
}

impl Representable for Snapshot {
    fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!("<Snapshot of {}>", zelf.machines.join(", ")))
    }
}

#[pyclass(with(Representable))]
impl Snapshot {}

fn this<'a>(snapshot: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Snapshot>> {
    snapshot.downcast_ref().ok_or_else(|| {
        let class = snapshot.class().name().to_string();
        vm.new_type_error(format!("expected a Snapshot, got {class}"))
    })
}

/// Saves machines as they are at one moment; those that do not run yet are started, and waited for.
pub(crate) fn take(
    session: &Arc<Session>,
    machines: &[PyObjectRef],
    vm: &VirtualMachine,
) -> PyResult {
    let mut names: Vec<String> = Vec::new();
    for machine in machines {
        let name = machine::reach(machine, vm)?;
        // However often a script names a machine, it is saved once.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let about = names.join(", ");
    let number = session.step(None, &format!("take a snapshot of {about}"), vm, || {
        session.call(vm, || session.driver().snapshot(&names))
    })?;
    let snapshot = Snapshot {
        session: Arc::clone(session),
        number,
        machines: names,
    };
    Ok(snapshot.into_ref(&vm.ctx).into())
}

/// Has those of the machines that a snapshot has go back to it.
pub(crate) fn go_back(
    session: &Arc<Session>,
    snapshot: &PyObject,
    machines: &[PyObjectRef],
    vm: &VirtualMachine,
) -> PyResult<()> {
    let snapshot = this(snapshot, vm)?;
    let mut found: Vec<(_, String)> = Vec::new();
    for machine in machines {
        let name = machine::backend_name(machine, vm)?;
        let is_named_again = found.iter().any(|(_, other)| *other == name);
        if snapshot.machines.contains(&name) && !is_named_again {
            found.push((machine, name));
        }
    }
    let names: Vec<String> = found.iter().map(|(_, name)| name.clone()).collect();
    let missing = |name: &&String| !names.contains(name);
    if names.is_empty() {
        let about = snapshot.machines.join(", ");
        return Err(session.failed(
            format!("the snapshot is of {about}, not of this machine"),
            vm,
        ));
    }
    if let Some(name) = snapshot.machines.iter().find(missing)
        && machines.len() > 1
    {
        return Err(session.failed(format!("there is no machine `{name}` any more"), vm));
    }
    let about = names.join(", ");
    session.step(
        None,
        &format!("go back to the snapshot of {about}"),
        vm,
        || {
            let number = snapshot.number;
            session.call(vm, || session.driver().restore(number, &names))?;
            found
                .iter()
                .try_for_each(|(machine, _)| machine::begin_anew(machine, vm))
        },
    )
}

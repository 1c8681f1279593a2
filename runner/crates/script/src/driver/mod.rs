//! The object `driver`: the test as a whole.

mod calls;
mod creation;
mod run;
mod snapshots;

use std::sync::Arc;

use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass,
};

use crate::api::{self, Access, Class, Property, Topic};
use crate::debug::{self, Debug};
use crate::log::{self, Log};
use crate::machine::Machine;
use crate::modules::{self, Importer};
use crate::session::Session;
use crate::snapshot::{self, Snapshot};
use crate::steps::Step;
use crate::vlan::{self, Vlan};
use crate::{assertions::Assertions, native, paths};

pub(crate) use run::{interact, test_script};

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    topics: &[
        Topic::new("Machines", calls::LIFE),
        Topic::new("Snapshots", snapshots::FUNCTIONS),
        Topic::new("The test", calls::CONTROL),
        Topic::new("Waiting for conditions", calls::WAITS),
        Topic::new("Several things at once", calls::PARALLEL),
        Topic::new("Output", calls::OUTPUT),
    ],
    properties: PROPERTIES,
    ..Class::new(
        "Driver",
        "test_driver.driver",
        "The test as a whole. Its methods are also plain functions in every script: `start_all()` is `driver.start_all()`.",
    )
};

/// The object. Its lists of machines and VLANs are plain attributes: scripts add to them.
#[pyclass(module = "test_driver.driver", name = "Driver")]
#[derive(Debug, PyPayload)]
pub(crate) struct Driver {
    session: Arc<Session>,
}

#[pyclass(flags(HAS_DICT))]
impl Driver {}

const PROPERTIES: &[Property] = &[
    made(
        "machines",
        "Machines",
        "All machines, sorted by name; a script may add to them. \
         A method of a machine that is called on the list is called on all of them at once.",
    ),
    made("machines_qemu", "Machines", "The same list."),
    made("machines_nspawn", "Machines", "The containers: none."),
    made("vlans", "list[VLan]", "All networks."),
    made("logger", "Logger", "The log."),
    made("debug", "Debug", "A place for breakpoints."),
    made(
        "polling_conditions",
        "list[PollingCondition]",
        "The conditions whose blocks are entered.",
    ),
    Property {
        name: "out_dir",
        type_name: "Path",
        doc: "The directory that becomes the test's output.",
        get: |driver, vm| paths::to_python(this(driver, vm)?.session.driver().out_dir(), vm),
        access: Access::Written,
    },
    Property {
        name: "tests",
        type_name: "str",
        doc: "The test script.",
        get: |driver, vm| {
            Ok(vm
                .ctx
                .new_str(this(driver, vm)?.session.script().text.as_str())
                .into())
        },
        access: Access::Written,
    },
    Property {
        name: "config",
        type_name: "SimpleNamespace",
        doc: "The configuration of other drivers: `vms`, `containers`, `vlans`, `test_script`, \
              `global_timeout` (None: the runner keeps the time), `enable_ssh_backdoor`.",
        get: |driver, vm| {
            modules::import_from("test_driver.driver", "config_of", vm)?
                .call((driver.to_owned(),), vm)
        },
        access: Access::Written,
    },
    Property {
        name: "global_timeout",
        type_name: "int | None",
        doc: "None: the runner keeps the test's time.",
        get: |_driver, vm| Ok(vm.ctx.none()),
        access: Access::Written,
    },
    Property {
        name: "race_timer",
        type_name: "threading.Timer",
        doc: "A timer that never runs: the runner keeps the test's time.",
        get: |driver, vm| {
            let timer =
                modules::import_from("test_driver.driver", "idle_timer", vm)?.call((), vm)?;
            driver.set_attr("race_timer", timer.clone(), vm)?;
            Ok(timer)
        },
        access: Access::Written,
    },
    off(
        "keep_machine_state",
        "Whether machines keep their state from one run to the next.",
    ),
    off("interactive", "Whether somebody types the script's lines."),
];

/// An attribute that the object gets when it is made.
const fn made(name: &'static str, type_name: &'static str, doc: &'static str) -> Property {
    Property {
        name,
        type_name,
        doc,
        get: |_driver, vm| Err(vm.new_attribute_error("this was deleted from the driver")),
        access: Access::Written,
    }
}

const fn off(name: &'static str, doc: &'static str) -> Property {
    Property {
        name,
        type_name: "bool",
        doc,
        get: |_driver, vm| Ok(vm.ctx.new_bool(false).into()),
        access: Access::Written,
    }
}

impl Driver {
    /// Makes all classes ready for use and returns the object for one run.
    pub(crate) fn object(session: &Arc<Session>, vm: &VirtualMachine) -> PyResult<PyObjectRef> {
        Self::make_classes(vm);
        native::define(session, vm)?;
        Importer::install(vm)?;

        let backend = session.driver();
        let machines = backend.machines().iter();
        let machines: PyResult<Vec<_>> = machines
            .map(|machine| Machine::linked(session, machine, vm))
            .collect();
        let machines = group(machines?, vm)?;
        let vlans = backend.vlans().iter();
        let vlans = vlans
            .map(|number| Vlan::object(session, *number, vm))
            .collect();
        let object: PyObjectRef = Self {
            session: Arc::clone(session),
        }
        .into_ref(&vm.ctx)
        .into();
        let set = |name: &'static str, value| object.set_attr(name, value, vm);
        set("machines", machines.clone())?;
        set("machines_qemu", machines)?;
        set("machines_nspawn", group(Vec::new(), vm)?)?;
        set("vlans", vm.ctx.new_list(vlans).into())?;
        set("logger", Log::object(session, vm))?;
        set("debug", Debug::object(session, vm))?;
        set("polling_conditions", vm.ctx.new_list(Vec::new()).into())?;
        // One and the same object each time, so that it is found again in lists of callbacks.
        set("_check", object.get_attr("check_polling_conditions", vm)?)?;
        let native = vm.import("_vmtest", 0)?;
        native.set_attr("driver", object.clone(), vm)?;
        Ok(object)
    }

    fn make_classes(vm: &VirtualMachine) {
        Self::make_static_type();
        Machine::make_classes(vm);
        Log::make_static_type();
        Vlan::make_static_type();
        Snapshot::make_static_type();
        Debug::make_static_type();
        Assertions::make_static_type();
        Step::make_static_type();
        Importer::make_static_type();
        api::install(&CLASS, Self::static_type(), vm);
        api::install(&log::CLASS, Log::static_type(), vm);
        api::install(&vlan::CLASS, Vlan::static_type(), vm);
        api::install(&snapshot::CLASS, Snapshot::static_type(), vm);
        api::install(&debug::CLASS, Debug::static_type(), vm);
    }
}

/// A list of machines that broadcasts.
pub(crate) fn group(machines: Vec<PyObjectRef>, vm: &VirtualMachine) -> PyResult {
    let class = modules::import_from("test_driver.group", "Machines", vm)?;
    class.call((vm.ctx.new_list(machines),), vm)
}

pub(crate) fn this<'a>(driver: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Driver>> {
    driver
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a Driver"))
}

/// The objects in one of the driver's lists, as they are now.
pub(crate) fn list(
    driver: &PyObject,
    name: &'static str,
    vm: &VirtualMachine,
) -> PyResult<Vec<PyObjectRef>> {
    driver.get_attr(name, vm)?.try_into_value(vm)
}

/// All machines, in whichever list a script has put them.
pub(crate) fn all_machines(driver: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    let mut all = list(driver, "machines", vm)?;
    for name in ["machines_qemu", "machines_nspawn"] {
        for machine in list(driver, name, vm)? {
            if !all.iter().any(|known| known.is(&machine)) {
                all.push(machine);
            }
        }
    }
    Ok(all)
}

//! The objects `vlan1`, `vlan2`, …

use std::sync::Arc;

use rustpython_vm::types::Representable;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::api::{Access, Class, Function, Property, Topic};
use crate::log::Log;
use crate::paths;
use crate::session::Session;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    topics: &[Topic::only(FUNCTIONS)],
    properties: PROPERTIES,
    ..Class::new(
        "VLan",
        "test_driver.vlan",
        "A network that machines are plugged into.",
    )
};

/// A VLAN.
#[pyclass(module = "test_driver.vlan", name = "VLan")]
#[derive(Debug, PyPayload)]
pub(crate) struct Vlan {
    session: Arc<Session>,
    number: u32,
}

const FUNCTIONS: &[Function] = &[Function {
    name: "stop",
    params: &[],
    returns: "None",
    doc: "Does nothing: the runner's own switch ends with the test.",
    call: |_vlan, _arguments, vm| Ok(vm.ctx.none()),
}];

const PROPERTIES: &[Property] = &[
    Property {
        name: "nr",
        type_name: "int",
        doc: "Its number.",
        get: |vlan, vm| Ok(vm.ctx.new_int(this(vlan, vm)?.number).into()),
        access: Access::Written,
    },
    Property {
        name: "logger",
        type_name: "Logger",
        doc: "The log.",
        get: |vlan, vm| Ok(Log::object(&this(vlan, vm)?.session, vm)),
        access: Access::Written,
    },
    Property {
        name: "socket_dir",
        type_name: "Path",
        doc: "Where other drivers have the sockets of their switch.",
        get: |vlan, vm| {
            let this = this(vlan, vm)?;
            let name = format!("vde{}.ctl", this.number);
            paths::to_python(&this.session.driver().tmp_dir().join(name), vm)
        },
        access: Access::Written,
    },
    Property {
        name: "tap_name",
        type_name: "str",
        doc: "The name that other drivers give to the host's interface on the network.",
        get: |vlan, vm| {
            let name = format!("vde-tap{}", this(vlan, vm)?.number);
            Ok(vm.ctx.new_str(name).into())
        },
        access: Access::Written,
    },
    no_process("process"),
    no_process("plug_process"),
    no_process("pid"),
];

const fn no_process(name: &'static str) -> Property {
    Property {
        name,
        type_name: "None",
        doc: "None: the network is part of the runner.",
        get: |_vlan, vm| Ok(vm.ctx.none()),
        access: Access::Written,
    }
}

impl Vlan {
    /// The object for the VLAN of this number.
    pub(crate) fn object(session: &Arc<Session>, number: u32, vm: &VirtualMachine) -> PyObjectRef {
        Self {
            session: Arc::clone(session),
            number,
        }
        .into_ref(&vm.ctx)
        .into()
    }
}

fn this<'a>(vlan: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Vlan>> {
    vlan.downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a VLan"))
}

impl Representable for Vlan {
    fn repr_str(zelf: &Py<Self>, _vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!("<Vlan Nr. {}>", zelf.number))
    }
}

#[pyclass(flags(HAS_DICT), with(Representable))]
impl Vlan {}

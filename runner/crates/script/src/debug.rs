//! The object `debug`.

use std::sync::Arc;

use rustpython_vm::builtins::PyType;
use rustpython_vm::function::FuncArgs;
use rustpython_vm::types::Constructor;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::api::{Access, Class, Function, Literal, Param, Property, Topic};
use crate::log::Log;
use crate::session::Session;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    also: &["DebugAbstract", "DebugNop"],
    topics: &[Topic::only(FUNCTIONS)],
    properties: PROPERTIES,
    ..Class::new("Debug", "test_driver.debug", "A place for breakpoints.")
};

/// The object.
#[pyclass(module = "test_driver.debug", name = "Debug")]
#[derive(Debug, PyPayload)]
pub(crate) struct Debug {
    session: Arc<Session>,
}

const FUNCTIONS: &[Function] = &[Function {
    name: "breakpoint",
    params: &[
        Param::optional("host", "str", Literal::Text("127.0.0.1")),
        Param::optional("port", "int", Literal::Int(4444)),
    ],
    returns: "None",
    doc: "A place to stop at when somebody debugs the test. In a build nobody does: the script goes on, and the log says so.",
    call: |debug, _arguments, vm| {
        let text = "debug.breakpoint() does nothing here: nobody can attach to this test";
        this(debug, vm)?.session.warn_once(text);
        Ok(vm.ctx.none())
    },
}];

const PROPERTIES: &[Property] = &[
    Property {
        name: "breakpoint_on_failure",
        type_name: "bool",
        doc: "Whether a failure of the script stops it for a debugger.",
        get: |_debug, vm| Ok(vm.ctx.new_bool(false).into()),
        access: Access::Written,
    },
    Property {
        name: "logger",
        type_name: "Logger",
        doc: "The log.",
        get: |debug, vm| Ok(Log::object(&this(debug, vm)?.session, vm)),
        access: Access::Written,
    },
    Property {
        name: "attach",
        type_name: "str | None",
        doc: "The command that attaches a debugger; None: there is none.",
        get: |_debug, vm| Ok(vm.ctx.none()),
        access: Access::Written,
    },
];

impl Debug {
    /// The object for one run.
    pub(crate) fn object(session: &Arc<Session>, vm: &VirtualMachine) -> PyObjectRef {
        Self {
            session: Arc::clone(session),
        }
        .into_ref(&vm.ctx)
        .into()
    }
}

fn this<'a>(debug: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Debug>> {
    debug
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a Debug object"))
}

impl Constructor for Debug {
    type Args = FuncArgs;

    fn py_new(_class: &Py<PyType>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
        Ok(Self {
            session: Session::of(vm)?,
        })
    }
}

#[pyclass(flags(BASETYPE, HAS_DICT), with(Constructor))]
impl Debug {}

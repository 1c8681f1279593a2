//! The class `Machine`: one virtual machine in the hands of a script.
//!
//! Scripts keep machines as values, subclass them and override single methods. So methods call one another through the
//! object, as in Python, wherever a subclass may have changed what they do.

mod commands;
mod files;
mod messages;
mod ports;
mod power;
mod units;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustpython_vm::builtins::{PyStrInterned, PyType};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::types::{Constructor, Initializer, Representable};
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use crate::api::Class;
use crate::arguments::text;
use crate::backend;
use crate::paths;
use crate::session::Session;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    name: "Machine",
    topics: &[
        power::FUNCTIONS,
        commands::FUNCTIONS,
        units::FUNCTIONS,
        ports::FUNCTIONS,
        files::FUNCTIONS,
        messages::FUNCTIONS,
    ],
    properties: &[],
};

/// A machine object.
#[pyclass(module = "test_driver.machine", name = "Machine")]
#[derive(Debug, PyPayload)]
pub(crate) struct Machine {
    session: Arc<Session>,
    /// None in an object that a script made itself, through a subclass.
    link: Option<Link>,
}

/// The virtual machine behind a machine object.
struct Link {
    backend: Arc<dyn backend::Machine>,
    /// Whether the script has started it and not yet seen its end. A machine that dies in between stays `booted`, so
    /// that the next command fails instead of starting it again unnoticed.
    booted: AtomicBool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("machine", &self.backend.name())
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// The object for a machine of the driver.
    pub(crate) fn linked(
        session: &Arc<Session>,
        backend: &Arc<dyn backend::Machine>,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let link = Link {
            backend: Arc::clone(backend),
            booted: AtomicBool::new(backend.is_booted()),
        };
        let machine = Self {
            session: Arc::clone(session),
            link: Some(link),
        };
        let object: PyObjectRef = machine.into_ref(&vm.ctx).into();
        object.set_attr("name", vm.ctx.new_str(backend.name()), vm)?;
        Ok(object)
    }

    fn link(&self, vm: &VirtualMachine) -> PyResult<&Link> {
        self.link.as_ref().ok_or_else(|| {
            vm.new_runtime_error(
                "this object was not made by the driver: no virtual machine is behind it",
            )
        })
    }

    fn is_booted(&self) -> bool {
        self.link
            .as_ref()
            .is_some_and(|link| link.booted.load(Ordering::Acquire))
    }

    fn is_connected(&self) -> bool {
        self.is_booted()
            && self
                .link
                .as_ref()
                .is_some_and(|link| link.backend.is_connected())
    }
}

/// The machine behind the object before the dot.
fn this<'a>(object: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Machine>> {
    object.downcast_ref().ok_or_else(|| {
        vm.new_type_error(format!("expected a Machine, got {}", object.class().name()))
    })
}

/// The name, which a subclass may have set itself.
fn name(object: &PyObject, vm: &VirtualMachine) -> PyResult<String> {
    match vm.get_attribute_opt(object.to_owned(), "name")? {
        Some(name) => text(&name, vm),
        None => Ok("machine".to_owned()),
    }
}

/// Does `body` as a step of this machine.
fn step<T>(
    object: &PyObject,
    message: &str,
    vm: &VirtualMachine,
    body: impl FnOnce() -> PyResult<T>,
) -> PyResult<T> {
    let session = &this(object, vm)?.session;
    session.step(Some(&name(object, vm)?), message, body)
}

/// Whether a method is the class's own, not one that a subclass put in its place.
fn is_own(object: &PyObject, method: &'static PyStrInterned, vm: &VirtualMachine) -> bool {
    let own = Machine::class(&vm.ctx).get_attr(method);
    let found = object.class().get_attr(method);
    matches!((own, found), (Some(own), Some(found)) if own.is(&found))
}

impl Constructor for Machine {
    type Args = FuncArgs;

    fn py_new(_class: &Py<PyType>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
        Ok(Self {
            session: Session::of(vm)?,
            link: None,
        })
    }
}

impl Initializer for Machine {
    type Args = FuncArgs;

    fn init(_zelf: PyRef<Self>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<()> {
        Ok(())
    }
}

impl Representable for Machine {
    fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
        Ok(format!(
            "<{} '{}'>",
            zelf.class().name(),
            name(zelf.as_object(), vm)?
        ))
    }
}

#[pyclass(
    flags(BASETYPE, HAS_DICT, HAS_WEAKREF),
    with(Constructor, Initializer, Representable)
)]
impl Machine {
    /// Whether the machine was started and its end was not seen.
    #[pygetset]
    fn booted(&self) -> bool {
        self.is_booted()
    }

    /// Whether commands can be run in it at once.
    #[pygetset]
    fn connected(&self) -> bool {
        self.is_connected()
    }

    /// The process id of QEMU, or `None`.
    #[pygetset]
    fn pid(&self) -> Option<u32> {
        self.link.as_ref().and_then(|link| link.backend.pid())
    }

    /// The host's directory that every machine sees as `/tmp/shared`, as a `pathlib.Path`.
    #[pygetset]
    fn shared_dir(&self, vm: &VirtualMachine) -> PyResult {
        paths::to_python(self.session.driver().shared_dir(), vm)
    }

    /// The directory that becomes the test's output, as a `pathlib.Path`.
    #[pygetset]
    fn out_dir(&self, vm: &VirtualMachine) -> PyResult {
        paths::to_python(self.session.driver().out_dir(), vm)
    }
}

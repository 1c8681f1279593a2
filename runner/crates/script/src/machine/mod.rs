//! The class `Machine`: one virtual machine in the hands of a script.
//!
//! Scripts keep machines as values, subclass them and override single methods. So methods call one another through the
//! object, as in Python, wherever a subclass may have changed what they do; a subclass with an `execute` of its own runs
//! commands elsewhere, and whatever needs only commands then works there.

mod address;
mod attributes;
mod callbacks;
mod commands;
mod console;
mod console_match;
mod construction;
mod efi;
mod files;
mod interact;
mod keyboard;
mod link;
mod messages;
mod monitor;
mod network;
mod outcome;
mod power;
mod process;
mod qmp;
mod regex;
mod screen;
mod shell;
mod snapshots;
mod terminals;
mod units;
mod waits;
mod windows;

use std::sync::{Arc, OnceLock};

use rustpython_vm::builtins::{PyListRef, PyStrInterned, PyType};
use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::function::FuncArgs;
use rustpython_vm::types::{Constructor, Initializer, Representable};
use rustpython_vm::{
    AsObject, Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use crate::api::{self, Class, Topic};
use crate::arguments::text;
use crate::session::Session;
use crate::timeouts::Timeout;
use crate::{backend, modules};
use link::Link;

pub(crate) use keyboard::code_of as key_of;
pub(crate) use process::CLASS as PROCESS_CLASS;
pub(crate) use qmp::{CLASS as QMP_CLASS, QmpSession};
pub(crate) use shell::CLASS as SHELL_CLASS;
pub(crate) use snapshots::{backend_name, begin_anew, is_running, reach};

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    also: &["BaseMachine", "QemuMachine"],
    init: Some(construction::PARAMS),
    topics: &[
        Topic::new("Power", power::FUNCTIONS),
        Topic::new("Snapshots", snapshots::FUNCTIONS),
        Topic::new("Commands", commands::FUNCTIONS),
        Topic::new("Units of systemd", units::FUNCTIONS),
        Topic::new("Files, ports and sockets", waits::FUNCTIONS),
        Topic::new("Copying files", files::FUNCTIONS),
        Topic::new("Serial console", console::FUNCTIONS),
        Topic::new("Terminals", terminals::FUNCTIONS),
        Topic::new("Screen", screen::FUNCTIONS),
        Topic::new("Windows", windows::FUNCTIONS),
        Topic::new("Keyboard", keyboard::FUNCTIONS),
        Topic::new("Network", network::FUNCTIONS),
        Topic::new("QEMU", monitor::FUNCTIONS),
        Topic::new("Messages", messages::FUNCTIONS),
        Topic::new("Callbacks", callbacks::FUNCTIONS),
        Topic::new("By hand", interact::FUNCTIONS),
        Topic::new("EFI variables", efi::FUNCTIONS),
    ],
    properties: attributes::PROPERTIES,
    ..Class::new(
        "Machine",
        "test_driver.machine",
        "A virtual machine. Most calls start it by themselves and wait until it is up. \
         Time-outs are seconds or a timedelta.",
    )
};

/// A machine object.
#[pyclass(module = "test_driver.machine", name = "Machine")]
#[derive(Debug, PyPayload)]
pub(crate) struct Machine {
    session: Arc<Session>,
    /// Empty in an object that a script made itself, through a subclass.
    link: OnceLock<Arc<Link>>,
    /// Whether commands do not wait for the guest to be up.
    early: bool,
}

impl Machine {
    /// Makes the class, and those of the objects that its attributes are, ready for use.
    pub(crate) fn make_classes(vm: &VirtualMachine) {
        Self::make_static_type();
        process::Process::make_static_type();
        qmp::QmpSession::make_static_type();
        shell::ShellSocket::make_static_type();
        api::install(&CLASS, Self::static_type(), vm);
        api::install(&process::CLASS, process::Process::static_type(), vm);
        api::install(&qmp::CLASS, qmp::QmpSession::static_type(), vm);
        api::install(&shell::CLASS, shell::ShellSocket::static_type(), vm);
    }

    /// The object for a machine of the driver.
    pub(crate) fn linked(
        session: &Arc<Session>,
        backend: &Arc<dyn backend::Machine>,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        Self::object(session, Arc::new(Link::new(backend)), false, vm)
    }

    fn object(
        session: &Arc<Session>,
        link: Arc<Link>,
        early: bool,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        let name = vm.ctx.new_str(link.backend.name());
        let machine = Self {
            session: Arc::clone(session),
            link: OnceLock::from(link),
            early,
        };
        let object: PyObjectRef = machine.into_ref(&vm.ctx).into();
        object.set_attr("name", name, vm)?;
        Ok(object)
    }
}

/// The machine behind the object before the dot.
fn this<'a>(object: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Machine>> {
    object.downcast_ref().ok_or_else(|| {
        vm.new_type_error(format!("expected a Machine, got {}", object.class().name()))
    })
}

/// Name of the attribute by which an object without a virtual machine finds another object's: a subclass may pass the
/// attributes that it lacks on to a machine that it was given.
const LINKED: &str = "_linked_machine";

/// The virtual machine behind the object, if there is one.
fn find_link(object: &PyObject, vm: &VirtualMachine) -> PyResult<Option<Arc<Link>>> {
    if let Some(link) = this(object, vm)?.link.get() {
        return Ok(Some(Arc::clone(link)));
    }
    let linked = vm.get_attribute_opt(object.to_owned(), LINKED)?;
    let linked = linked
        .as_ref()
        .and_then(|linked| linked.downcast_ref::<Machine>());
    Ok(linked.and_then(|linked| linked.link.get().cloned()))
}

/// The virtual machine, without which nothing but commands of a subclass's own can work.
fn link_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<Arc<Link>> {
    find_link(object, vm)?.ok_or_else(|| {
        vm.new_runtime_error(
            "this object was not made by the driver: no virtual machine is behind it",
        )
    })
}

fn backend_of(object: &PyObject, vm: &VirtualMachine) -> PyResult<Arc<dyn backend::Machine>> {
    Ok(Arc::clone(&link_of(object, vm)?.backend))
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
    session.step(Some(&name(object, vm)?), message, vm, body)
}

/// Whether a method is the class's own, not one that a subclass or the script put in its place.
fn is_own(object: &PyObject, method: &'static PyStrInterned, vm: &VirtualMachine) -> bool {
    let own = Machine::class(&vm.ctx).get_attr(method);
    let found = object.class().get_attr(method);
    let put_on_object = object
        .dict()
        .is_some_and(|attributes| attributes.contains_key(method, vm));
    matches!((own, found), (Some(own), Some(found)) if own.is(&found)) && !put_on_object
}

impl Constructor for Machine {
    type Args = FuncArgs;

    fn py_new(_class: &Py<PyType>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
        Ok(Self {
            session: Session::of(vm)?,
            link: OnceLock::new(),
            early: false,
        })
    }
}

impl Initializer for Machine {
    type Args = FuncArgs;

    fn init(zelf: PyRef<Self>, args: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
        construction::init(zelf.as_object(), args, vm)
    }
}

impl Representable for Machine {
    fn repr_str(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<String> {
        let class = zelf.class().name();
        Ok(format!("<{class} '{}'>", name(zelf.as_object(), vm)?))
    }
}

#[pyclass(
    flags(BASETYPE, HAS_DICT, HAS_WEAKREF),
    with(Constructor, Initializer, Representable)
)]
impl Machine {
    #[pygetset]
    fn _linked_machine(zelf: PyRef<Self>, vm: &VirtualMachine) -> PyResult {
        match zelf.link.get() {
            Some(_) => Ok(zelf.into()),
            None => Err(vm.new_attribute_error("no virtual machine is behind this object")),
        }
    }

    /// Scripts use it, though its name says that they should not.
    #[pymethod]
    fn _managed_screenshot(zelf: PyRef<Self>, vm: &VirtualMachine) -> PyResult {
        modules::import_from("test_driver.machine.screen", "managed_screenshot", vm)?
            .call((zelf,), vm)
    }

    /// What `last_lines` holds.
    #[pymethod]
    fn _console_lines(zelf: &Py<Self>, vm: &VirtualMachine) -> PyResult<PyListRef> {
        let lines = console::pending(zelf.as_object(), vm)?;
        let lines = lines.into_iter().map(|line| vm.ctx.new_str(line).into());
        Ok(vm.ctx.new_list(lines.collect()))
    }

    #[pymethod]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the interpreter gives arguments by value"
    )]
    fn _take_console_line(
        zelf: &Py<Self>,
        timeout: PyObjectRef,
        vm: &VirtualMachine,
    ) -> PyResult<Option<String>> {
        let timeout = Timeout::from_object(&timeout, vm)?;
        console::take_line(zelf.as_object(), &timeout, vm)
    }
}

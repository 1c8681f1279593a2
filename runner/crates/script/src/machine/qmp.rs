//! The object `machine.qmp_client`: QEMU's machine protocol, in the words of Python.

use std::sync::Arc;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use super::link::Link;
use super::{link_of, this};
use crate::api::{Access, Class, Function, Literal, Param, Property, Topic};
use crate::backend::{MachineError, MachineErrorKind};
use crate::errors::timeout_error;
use crate::modules;
use crate::session::Session;
use crate::timeouts::Timeout;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    topics: &[Topic::only(FUNCTIONS)],
    of_class: &["from_path"],
    properties: PROPERTIES,
    ..Class::new(
        "QMPSession",
        "test_driver.machine.qmp",
        "QEMU's machine protocol (QMP), as `machine.qmp_client`.",
    )
};

/// The client.
#[pyclass(module = "test_driver.machine.qmp", name = "QMPSession")]
#[derive(Debug, PyPayload)]
pub(crate) struct QmpSession {
    session: Arc<Session>,
    link: Arc<Link>,
}

#[pyclass]
impl QmpSession {}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "send",
        params: &[
            Param::required("cmd", "str"),
            Param::optional("args", "dict[str, Any]", Literal::EmptyDict),
        ],
        returns: "dict[str, Any]",
        doc: "Runs a QMP command and returns QEMU's reply, a dictionary with the key `return`. \
              Raises QMPAPIError when QEMU refuses it.",
        call: |client, arguments, vm| {
            let client = this_client(client, vm)?;
            let command = arguments.text("cmd", vm)?;
            let given = to_json(arguments.get("args"), vm)?;
            let backend = &client.link.backend;
            client.session.check_running(vm)?;
            let reply = vm
                .allow_threads(|| backend.qmp(&command, &given))
                .map_err(|error| refused(&client.session, &error, vm))?;
            let dict = vm.ctx.new_dict();
            dict.set_item("return", from_json(&reply, vm)?, vm)?;
            Ok(dict.into())
        },
    },
    Function {
        name: "wait_for_event",
        params: &[within()],
        returns: "dict[str, Any]",
        doc: "Takes the oldest QMP event that nobody has taken, waiting for one if need be; raises TimeoutError when none \
              came in time.",
        call: |client, arguments, vm| {
            let client = this_client(client, vm)?;
            let timeout = arguments.timeout("timeout", vm)?;
            match next_event(&client.session, &client.link, &timeout, vm)? {
                Some(event) => Ok(event),
                None => Err(timeout_error(
                    format!("no QMP event within {timeout} seconds"),
                    vm,
                )),
            }
        },
    },
    Function {
        name: "events",
        params: &[within()],
        returns: "Iterator[dict[str, Any]]",
        doc: "Takes all QMP events that have come and nobody has taken, oldest first. It waits for none, whatever the \
              time-out: that is there because other drivers have it.",
        call: |client, arguments, vm| {
            let client = this_client(client, vm)?;
            // A wrong one is still told.
            arguments.timeout("timeout", vm)?;
            let mut events = Vec::new();
            let at_once = Timeout::none_at_all();
            while let Some(event) = next_event(&client.session, &client.link, &at_once, vm)? {
                events.push(event);
            }
            let events: PyObjectRef = vm.ctx.new_list(events).into();
            Ok(events.get_iter(vm)?.into())
        },
    },
    Function {
        name: "read_pending_messages",
        params: &[],
        returns: "None",
        doc: "Does nothing: events are read as they come.",
        call: |_client, _arguments, vm| Ok(vm.ctx.none()),
    },
    Function {
        name: "close",
        params: &[],
        returns: "None",
        doc: "Does nothing: the runner needs the connection, too.",
        call: |_client, _arguments, vm| Ok(vm.ctx.none()),
    },
    Function {
        name: "from_path",
        params: &[Param::required("path", "str")],
        returns: "QMPSession",
        doc: "Always fails: the runner holds the only connection. Use the `qmp_client` of a machine.",
        call: |_client, _arguments, vm| {
            let message = "the runner holds the connection to QEMU: use machine.qmp_client";
            Err(vm.new_runtime_error(message))
        },
    },
];

const fn within() -> Param {
    Param::optional("timeout", "Duration", Literal::Int(10))
}

const PROPERTIES: &[Property] = &[
    nothing("sock"),
    nothing("reader"),
    nothing("writer"),
    nothing("results"),
    nothing("pending_events"),
];

/// What the client of other drivers has and this one does not need.
const fn nothing(name: &'static str) -> Property {
    Property {
        name,
        type_name: "None",
        doc: "None: the runner holds the connection to QEMU.",
        get: |_client, vm| Ok(vm.ctx.none()),
        access: Access::ReadOnly,
    }
}

impl QmpSession {
    /// The client of a machine; `None` in Python where no virtual machine is behind it.
    pub(super) fn object(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
        let this = this(machine, vm)?;
        let link = link_of(machine, vm)?;
        Ok(Self {
            session: Arc::clone(&this.session),
            link,
        }
        .into_ref(&vm.ctx)
        .into())
    }
}

fn this_client<'a>(client: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<QmpSession>> {
    client
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a QMPSession"))
}

/// Takes the oldest event that nobody has taken; none when the time is over.
pub(super) fn next_event(
    session: &Session,
    link: &Link,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyResult<Option<PyObjectRef>> {
    let event = session.call(vm, || link.backend.next_qmp_event(timeout.limit))?;
    event.map(|event| from_json(&event, vm)).transpose()
}

/// The exception for a command that QEMU refuses, or a machine that cannot be asked.
fn refused(session: &Session, error: &MachineError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let MachineErrorKind::Qmp { class, description } = &error.kind else {
        return session.exceptions.machine_failed(error, vm);
    };
    let error = modules::import_from("test_driver.machine.qmp", "QMPAPIError", vm)
        .and_then(|error| error.call((class.as_str(), description.as_str()), vm))
        .and_then(|error| error.try_into_value(vm));
    error.unwrap_or_else(|error| error)
}

fn to_json(object: &PyObjectRef, vm: &VirtualMachine) -> PyResult<String> {
    let json = vm.import("json", 0)?;
    vm.call_method(&json, "dumps", (object.clone(),))?
        .try_into_value(vm)
}

pub(super) fn from_json(text: &str, vm: &VirtualMachine) -> PyResult {
    let json = vm.import("json", 0)?;
    vm.call_method(&json, "loads", (text,))
}

//! Waiting for TCP ports.

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::backend::{Condition, WaitOutcome};
use crate::retry::timed_out;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "wait_for_open_port",
        params: PARAMS,
        returns: "None",
        doc: "Waits until something in the guest can connect to a TCP port.",
        call: |machine, arguments, vm| wait(machine, arguments, true, vm),
    },
    Function {
        name: "wait_for_closed_port",
        params: PARAMS,
        returns: "None",
        doc: "Waits until nothing in the guest can connect to a TCP port.",
        call: |machine, arguments, vm| wait(machine, arguments, false, vm),
    },
];

const PARAMS: &[Param] = &[
    Param::required("port", "int"),
    Param::optional("addr", "str", Literal::Text("localhost")),
    Param::timeout(),
];

fn wait(machine: &PyObject, arguments: &Arguments, open: bool, vm: &VirtualMachine) -> PyResult {
    let addr = arguments.text("addr", vm)?;
    let given = arguments.text("port", vm)?;
    let port = given
        .parse()
        .map_err(|_| vm.new_value_error(format!("not a TCP port: {given}")))?;
    let timeout = arguments.timeout("timeout", vm)?;
    let suffix = if open { "" } else { " to be closed" };
    let message = format!("waiting for TCP port {port} on {addr}{suffix}");
    let condition = if open {
        Condition::TcpOpen { addr, port }
    } else {
        Condition::TcpClosed { addr, port }
    };

    let this = this(machine, vm)?;
    let session = &this.session;
    step(machine, &message, vm, || {
        power::ensure_connected(machine, vm)?;
        let backend = &this.link(vm)?.backend;
        let before = session.driver().now();
        match session.call(vm, || backend.wait(&condition, timeout.limit))? {
            WaitOutcome::Met => Ok(vm.ctx.none()),
            WaitOutcome::TimedOut { last } => {
                let elapsed = session.driver().now().saturating_duration_since(before);
                Err(timed_out(session, &message, &timeout, elapsed, &last, vm))
            }
        }
    })
}

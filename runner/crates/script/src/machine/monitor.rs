//! QEMU's monitor and its machine protocol.

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{backend_of, callbacks, link_of, qmp, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::errors::timeout_error;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "send_monitor_command",
        params: &[Param::required("command", "str")],
        returns: "str",
        doc: "Runs a command of QEMU's monitor, such as `info network`, and returns what it prints. \
              It does not start the machine, and does not say whether the command went well.",
        call: |machine, arguments, vm| {
            let command = arguments.text("command", vm)?;
            callbacks::run(machine, vm)?;
            Ok(vm.ctx.new_str(monitor(machine, &command, vm)?).into())
        },
    },
    Function {
        name: "wait_for_monitor_prompt",
        params: &[],
        returns: "str",
        doc: "Makes sure that the machine's monitor can be spoken to, and returns its prompt.",
        call: |machine, _arguments, vm| {
            monitor(machine, "", vm)?;
            Ok(vm.ctx.new_str("(qemu) ").into())
        },
    },
    Function {
        name: "wait_for_qmp_event",
        params: &[
            Param::required("event_filter", "Callable[[dict[str, Any]], bool]"),
            Param::optional("timeout", "Duration", Literal::Int(600)),
        ],
        returns: "dict[str, Any]",
        doc: "Takes QMP events, those that came since the machine's start first, until the filter returns true for one, \
              and returns that. Raises TimeoutError when the time is over, and RuntimeError when the machine never ran.",
        call: wait_for_qmp_event,
    },
];

/// Runs a command of the monitor.
pub(super) fn monitor(machine: &PyObject, command: &str, vm: &VirtualMachine) -> PyResult<String> {
    let this = this(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    this.session.call(vm, || backend.monitor(command))
}

fn wait_for_qmp_event(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    let (session, link) = (&this.session, link_of(machine, vm)?);
    let timeout = arguments.timeout("timeout", vm)?;
    if link.state().process.is_none() {
        return Err(vm.new_runtime_error("QMP API is not ready yet, is the VM ready?"));
    }
    let started = session.driver().now();
    step(machine, "waiting for a QMP event", vm, || {
        let mut others = 0;
        loop {
            let elapsed = session.driver().now().saturating_duration_since(started);
            let left = timeout.limit.map(|limit| limit.saturating_sub(elapsed));
            let slice = callbacks::slice(machine, left, vm)?;
            session.check_running(vm)?;
            let event = vm.allow_threads(|| link.backend.next_qmp_event(slice));
            match event {
                Ok(Some(event)) => {
                    let event = qmp::from_json(&event, vm)?;
                    let wanted = arguments.get("event_filter").call((event.clone(),), vm)?;
                    if wanted.try_to_bool(vm)? {
                        return Ok(event);
                    }
                    others += 1;
                }
                Ok(None) if slice != left => callbacks::run(machine, vm)?,
                Ok(None) => {
                    let message = format!(
                        "no QMP event that the filter wants within {timeout} seconds ({others} others came)"
                    );
                    return Err(timeout_error(message, vm));
                }
                Err(error) => return Err(session.exceptions.machine_failed(&error, vm)),
            }
        }
    })
}

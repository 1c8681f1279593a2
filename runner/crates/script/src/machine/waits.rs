//! Waiting for files, ports and sockets.
//!
//! Where commands run in the machine behind the object, its agent waits for the event itself; elsewhere a command looks
//! for it again and again.

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::commands::{self, How, attempt_timeout};
use super::{backend_of, callbacks, power, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::backend::{Condition, MachineError, MachineErrorKind, WaitOutcome};
use crate::retry::{self, Try, timed_out};
use crate::session::Session;
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "wait_for_file",
        params: &[
            Param::required("filename", "str"),
            Param::timeout(),
            attempt_timeout(),
        ],
        returns: "None",
        doc: "Waits until a file, of whatever kind, exists in the guest. The name is given to the shell as it is: patterns, \
              variables and substitutions work.",
        call: |machine, arguments, vm| {
            let word = arguments.text("filename", vm)?;
            let message = format!("waiting for file '{word}'");
            let test = format!("test -e {word}");
            wait(
                machine,
                arguments,
                &message,
                Some(&Condition::File { word }),
                (&test, true),
                vm,
            )
        },
    },
    Function {
        name: "wait_for_open_port",
        params: &[
            Param::required("port", "int | str"),
            addr(),
            Param::timeout(),
            attempt_timeout(),
            Param::optional("is_datagram", "bool", Literal::Bool(false)).by_keyword(),
        ],
        returns: "None",
        doc: "Waits until something in the guest can connect to a TCP port of this name or address, or, with is_datagram, \
              until some socket of the guest is bound to the UDP port. The port may be the name of a service that the \
              guest knows, such as `ssh`.",
        call: |machine, arguments, vm| match arguments.flag("is_datagram", vm)? {
            true => wait_for_udp_port(machine, arguments, vm),
            false => wait_for_tcp_port(machine, arguments, true, vm),
        },
    },
    Function {
        name: "wait_for_closed_port",
        params: &[
            Param::required("port", "int | str"),
            addr(),
            Param::timeout(),
            attempt_timeout(),
        ],
        returns: "None",
        doc: "Waits until nothing in the guest can connect to a TCP port of this name or address.",
        call: |machine, arguments, vm| wait_for_tcp_port(machine, arguments, false, vm),
    },
    Function {
        name: "wait_for_open_unix_socket",
        params: &[
            Param::required("addr", "str"),
            Param::optional("is_datagram", "bool", Literal::Bool(false)),
            Param::timeout(),
            attempt_timeout(),
        ],
        returns: "None",
        doc: "Waits until something in the guest can connect to the UNIX socket of this path, or, with is_datagram, send \
              datagrams to it.",
        call: |machine, arguments, vm| {
            let path = arguments.text("addr", vm)?;
            let datagram = arguments.flag("is_datagram", vm)?;
            let (kind, options) = if datagram {
                ("datagram", "-uU")
            } else {
                ("stream", "-U")
            };
            let message = format!("waiting for UNIX-domain {kind} on '{path}'");
            let test = format!("nc -z {options} {path}");
            // The agent does not know the shell's language.
            let condition = is_plain(&path).then_some(Condition::UnixOpen { path, datagram });
            wait(
                machine,
                arguments,
                &message,
                condition.as_ref(),
                (&test, true),
                vm,
            )
        },
    },
];

const LOCALHOST: &str = "localhost";

const fn addr() -> Param {
    Param::optional("addr", "str", Literal::Text(LOCALHOST))
}

/// Whether a word of the shell's language means itself.
fn is_plain(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_alphanumeric() || "/._-+,:@%".contains(c))
}

/// The number of the port; none where it goes by a name, which only the guest's commands know.
fn port_number(arguments: &Arguments, vm: &VirtualMachine) -> PyResult<Option<u16>> {
    let given = arguments.text("port", vm)?;
    if given.parse::<f64>().is_err() {
        return Ok(None);
    }
    arguments.port("port", vm).map(Some)
}

fn wait_for_udp_port(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let addr = arguments.text("addr", vm)?;
    if addr != LOCALHOST {
        let message = "with is_datagram, only ports of the guest itself can be waited for: nothing answers at those of \
                       others";
        return Err(vm.new_value_error(message));
    }
    let port = arguments.text("port", vm)?;
    let message = format!("waiting for UDP port {port}");
    let test = format!("nc -z -u {addr} {port}");
    let condition = port_number(arguments, vm)?.map(|port| Condition::UdpOpen { port });
    wait(
        machine,
        arguments,
        &message,
        condition.as_ref(),
        (&test, true),
        vm,
    )
}

fn wait_for_tcp_port(
    machine: &PyObject,
    arguments: &Arguments,
    open: bool,
    vm: &VirtualMachine,
) -> PyResult {
    let addr = arguments.text("addr", vm)?;
    let port = arguments.text("port", vm)?;
    let test = format!("nc -z {addr} {port}");
    let suffix = if open { "" } else { " to be closed" };
    let message = format!("waiting for TCP port {port} on {addr}{suffix}");
    let condition = port_number(arguments, vm)?.map(|port| {
        if open {
            Condition::TcpOpen { addr, port }
        } else {
            Condition::TcpClosed { addr, port }
        }
    });
    wait(
        machine,
        arguments,
        &message,
        condition.as_ref(),
        (&test, open),
        vm,
    )
}

/// Waits for a condition that the agent knows, or none; `test` is a command that sees it, and whether that command then
/// succeeds.
fn wait(
    machine: &PyObject,
    arguments: &Arguments,
    message: &str,
    condition: Option<&Condition>,
    (test, success): (&str, bool),
    vm: &VirtualMachine,
) -> PyResult {
    let timeout = arguments.timeout("timeout", vm)?;
    step(machine, message, vm, || {
        if let Some(condition) = condition
            && happen_here(machine, vm)?
        {
            return wait_here(machine, message, condition, &timeout, vm);
        }
        commands::connect_first(machine, vm)?;
        let session = &this(machine, vm)?.session;
        retry::until(session, message, &timeout, vm, |_last| {
            let outcome = commands::run(machine, test, &How::quiet(), vm)?;
            Ok(if (outcome.status == 0) == success {
                Try::Done(())
            } else {
                Try::NotYet(outcome.seen())
            })
        })
    })?;
    Ok(vm.ctx.none())
}

/// Whether the agent of the machine behind the object is to wait, not a command.
pub(super) fn happen_here(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    Ok(!this(machine, vm)?.early && commands::run_here(machine, vm))
}

/// Has the agent wait until a condition holds.
pub(super) fn wait_here(
    machine: &PyObject,
    message: &str,
    condition: &Condition,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyResult<()> {
    let this = this(machine, vm)?;
    let session = &this.session;
    power::ensure_reachable(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    let started = session.driver().now();
    loop {
        callbacks::run(machine, vm)?;
        let elapsed = session.driver().now().saturating_duration_since(started);
        let left = timeout.limit.map(|limit| limit.saturating_sub(elapsed));
        let slice = callbacks::slice(machine, left, vm)?;
        session.check_running(vm)?;
        match vm.allow_threads(|| backend.wait(condition, slice)) {
            Ok(WaitOutcome::Met) => return Ok(()),
            Ok(WaitOutcome::TimedOut { .. }) if slice != left => {}
            Ok(WaitOutcome::TimedOut { last }) => {
                let elapsed = session.driver().now().saturating_duration_since(started);
                return Err(timed_out(session, message, timeout, elapsed, &last, vm));
            }
            Err(error) => return Err(wait_failed(session, error, vm)),
        }
    }
}

/// What the guest says of a condition that can never hold is the message, as in the original driver.
fn wait_failed(session: &Session, error: MachineError, vm: &VirtualMachine) -> PyBaseExceptionRef {
    match error.kind {
        MachineErrorKind::Refused { reason } => session.failed(reason, vm),
        _ => session.exceptions.machine_failed(&error, vm),
    }
}

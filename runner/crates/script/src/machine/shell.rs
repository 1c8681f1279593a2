//! The object `machine.shell`: a shell in the guest, with the methods of a socket.

use std::sync::{Arc, Mutex, PoisonError};

use rustpython_vm::builtins::{PyByteArray, PyBytes};
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use super::{backend_of, power, this};
use crate::api::{Class, Function, Literal, Param, Topic};
use crate::arguments::Arguments;
use crate::backend::Shell;
use crate::errors::timeout_error;
use crate::session::Session;
use crate::timeouts::Timeout;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    topics: &[Topic::only(FUNCTIONS)],
    ..Class::new(
        "Shell",
        "test_driver.machine",
        "A shell in the guest, with what scripts use of a socket: what is sent is run, what is received is its output.",
    )
};

/// The socket's other end is a shell that starts with the first use.
#[pyclass(module = "test_driver.machine", name = "Shell")]
#[derive(Debug, PyPayload)]
pub(crate) struct ShellSocket {
    session: Arc<Session>,
    machine: PyObjectRef,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shell: Option<Arc<dyn Shell>>,
    /// Received and not yet given out.
    pending: Vec<u8>,
    /// For how long to wait when receiving.
    patience: Option<Timeout>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

#[pyclass]
impl ShellSocket {}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "send",
        params: DATA,
        returns: "int",
        doc: "Writes bytes to the shell's input, and returns how many: always all.",
        call: |socket, arguments, vm| {
            let count = send(socket, arguments, vm)?;
            Ok(vm.ctx.new_int(count).into())
        },
    },
    Function {
        name: "sendall",
        params: DATA,
        returns: "None",
        doc: "Writes bytes to the shell's input.",
        call: |socket, arguments, vm| {
            send(socket, arguments, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "recv",
        params: &[Param::optional("bufsize", "int", Literal::Int(65536))],
        returns: "bytes",
        doc: "Waits until the shell has written something on either output, and returns at most so many bytes of it; none \
              when it has ended. Raises TimeoutError when the time of settimeout() is over.",
        call: receive,
    },
    Function {
        name: "settimeout",
        params: &[Param::required("value", "Duration | None")],
        returns: "None",
        doc: "Sets for how many seconds recv() waits; None: without end.",
        call: |socket, arguments, vm| {
            let patience = arguments.timeout("value", vm)?;
            this_socket(socket, vm)?.state().patience = Some(patience);
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "close",
        params: &[],
        returns: "None",
        doc: "Ends the shell; the next use starts another one.",
        call: |socket, _arguments, vm| {
            let ended = std::mem::take(&mut *this_socket(socket, vm)?.state());
            vm.allow_threads(|| drop(ended));
            Ok(vm.ctx.none())
        },
    },
];

const DATA: &[Param] = &[Param::required("data", "bytes")];

impl ShellSocket {
    /// The socket of a machine.
    pub(super) fn object(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
        Ok(Self {
            session: Arc::clone(&this(machine, vm)?.session),
            machine: machine.to_owned(),
            state: Mutex::default(),
        }
        .into_ref(&vm.ctx)
        .into())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shell(&self, vm: &VirtualMachine) -> PyResult<Arc<dyn Shell>> {
        if let Some(shell) = &self.state().shell {
            return Ok(Arc::clone(shell));
        }
        let shell = open(&self.machine, vm)?;
        Ok(Arc::clone(self.state().shell.get_or_insert(shell)))
    }
}

/// Starts a shell in the guest, which is up then.
pub(super) fn open(machine: &PyObject, vm: &VirtualMachine) -> PyResult<Arc<dyn Shell>> {
    power::ensure_reachable(machine, vm)?;
    let this = this(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    let shell = this.session.call(vm, || backend.open_shell())?;
    Ok(Arc::from(shell))
}

fn this_socket<'a>(socket: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<ShellSocket>> {
    socket
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a Shell"))
}

fn send(socket: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult<usize> {
    let socket = this_socket(socket, vm)?;
    let data = arguments.get("data");
    let bytes = if let Some(bytes) = data.downcast_ref::<PyBytes>() {
        bytes.as_bytes().to_vec()
    } else if let Some(bytes) = data.downcast_ref::<PyByteArray>() {
        bytes.borrow_buf().to_vec()
    } else {
        return Err(vm.new_type_error("a shell is sent bytes, such as b\"reboot\\n\""));
    };
    let shell = socket.shell(vm)?;
    socket.session.call(vm, || shell.send(&bytes))?;
    Ok(bytes.len())
}

fn receive(socket: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let socket = this_socket(socket, vm)?;
    let most: usize = arguments.get("bufsize").clone().try_into_value(vm)?;
    if socket.state().pending.is_empty() {
        let shell = socket.shell(vm)?;
        let limit = socket
            .state()
            .patience
            .as_ref()
            .and_then(|patience| patience.limit);
        match socket.session.call(vm, || shell.receive(limit))? {
            None => return Ok(vm.ctx.new_bytes(Vec::new()).into()),
            Some(bytes) if bytes.is_empty() => {
                return Err(timeout_error("timed out".to_owned(), vm));
            }
            Some(bytes) => socket.state().pending.extend(bytes),
        }
    }
    let mut state = socket.state();
    let count = most.min(state.pending.len());
    let given: Vec<u8> = state.pending.drain(..count).collect();
    Ok(vm.ctx.new_bytes(given).into())
}

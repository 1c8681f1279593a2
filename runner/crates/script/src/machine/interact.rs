//! Handing a machine's shell or console to somebody else: a terminal, or whoever is at a socket of the host.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::address::Address;
use super::messages::say;
use super::{backend_of, power, shell, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::backend::{MachineError, Shell};

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "shell_interact",
        params: &[Param::optional("address", "str | None", Literal::None)],
        returns: "None",
        doc: "Connects a shell in the guest to the terminal, or to a socket of the host, until either of them ends. The \
              address is written as for socat: `unix-connect:PATH`, `tcp:HOST:PORT`, `unix-listen:PATH`, `tcp-listen:PORT`. \
              Fails without an address when there is no terminal, as in a build.",
        call: shell_interact,
    },
    Function {
        name: "console_interact",
        params: &[],
        returns: "None",
        doc: "Types what comes from the terminal on the machine's serial console, until the terminal's end of file. \
              Fails when there is no terminal, as in a build.",
        call: console_interact,
    },
    Function {
        name: "ssh_backdoor_command",
        params: &[],
        returns: "str",
        doc: "Always fails: machines have no SSH backdoor here. shell_interact() gives a shell.",
        call: |machine, _arguments, vm| {
            this(machine, vm)?;
            Err(vm.new_runtime_error("machines have no SSH backdoor: use shell_interact()"))
        },
    },
];

/// How long a look at the shell takes before it is looked whether the other side has gone.
const GLANCE: Duration = Duration::from_millis(200);

fn shell_interact(machine: &PyObject, arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let session = &this(machine, vm)?.session;
    let address = arguments.optional_text("address", vm)?;
    let address = match &address {
        Some(address) => Some(
            address
                .parse::<Address>()
                .map_err(|error| vm.new_value_error(format!("shell_interact(): {error}")))?,
        ),
        None => {
            demand_terminal("shell_interact()", "give it an address", vm)?;
            None
        }
    };
    power::ensure_reachable(machine, vm)?;
    let Some(address) = address else {
        let message = "Terminal is ready (there is no initial prompt):";
        say(machine, message.to_owned(), vm)?;
        let shell = shell::open(machine, vm)?;
        session.call(vm, || relay(&shell, io::stdin(), io::stdout()))?;
        return Ok(vm.ctx.none());
    };
    let stream = address
        .connect(|| session.sleep(GLANCE, vm).map_err(Unconnected::Stopped))
        .map_err(|error| match error {
            Unconnected::Io(error) => {
                vm.new_os_error(format!("cannot connect to {address}: {error}"))
            }
            Unconnected::Stopped(exception) => exception,
        })?;
    let input = stream
        .try_clone()
        .map_err(|error| vm.new_os_error(error.to_string()))?;
    let output = stream
        .try_clone()
        .map_err(|error| vm.new_os_error(error.to_string()))?;
    let shell = shell::open(machine, vm)?;
    let result = session.call(vm, || relay(&shell, input, output));
    stream.shut_down();
    result?;
    Ok(vm.ctx.none())
}

/// Why there is no connection.
enum Unconnected {
    Io(io::Error),
    Stopped(PyBaseExceptionRef),
}

impl From<io::Error> for Unconnected {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Passes bytes both ways until either side ends.
fn relay(
    shell: &Arc<dyn Shell>,
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
) -> Result<(), MachineError> {
    let over = Arc::new(AtomicBool::new(false));
    let to_shell = (Arc::clone(shell), Arc::clone(&over));
    // Not joined: nothing ends a read from a terminal.
    thread::spawn(move || {
        let (shell, over) = to_shell;
        let mut buffer = [0; 4096];
        while let Ok(count) = input.read(&mut buffer) {
            if count == 0 || over.load(Ordering::Acquire) || shell.send(&buffer[..count]).is_err() {
                break;
            }
        }
        over.store(true, Ordering::Release);
    });
    let result = loop {
        match shell.receive(Some(GLANCE)) {
            Ok(Some(bytes)) if bytes.is_empty() => {
                if over.load(Ordering::Acquire) {
                    break Ok(());
                }
            }
            Ok(Some(bytes)) => {
                let written = output.write_all(&bytes).and_then(|()| output.flush());
                if written.is_err() {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    over.store(true, Ordering::Release);
    result
}

fn console_interact(machine: &PyObject, _arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    demand_terminal("console_interact()", "use send_console()", vm)?;
    let this = this(machine, vm)?;
    let backend = backend_of(machine, vm)?;
    let message = "Terminal is ready (there is no prompt):";
    say(machine, message.to_owned(), vm)?;
    let mut buffer = [0; 4096];
    loop {
        let read = vm.allow_threads(|| io::stdin().read(&mut buffer));
        match read {
            Ok(0) | Err(_) => break,
            Ok(count) => this
                .session
                .call(vm, || backend.send_console(&buffer[..count]))?,
        }
    }
    say(machine, "Closing connection to the console".to_owned(), vm)?;
    Ok(vm.ctx.none())
}

fn demand_terminal(what: &str, instead: &str, vm: &VirtualMachine) -> PyResult<()> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(vm.new_runtime_error(format!(
        "{what} needs a terminal, and this test runs without one: {instead}, or run the test interactively"
    )))
}

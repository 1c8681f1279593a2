//! The object `machine.process`: QEMU's process, in the manner of `subprocess.Popen`.

use std::sync::{Arc, Mutex, PoisonError};

use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;
use rustpython_vm::builtins::PyBytes;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use super::link::Link;
use super::{link_of, power, this};
use crate::api::{Access, Class, Function, Literal, Param, Property, Topic};
use crate::arguments::text;
use crate::backend::MachineErrorKind;
use crate::session::Session;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    topics: &[Topic::only(FUNCTIONS)],
    properties: PROPERTIES,
    ..Class::new(
        "Process",
        "test_driver.machine",
        "QEMU's process, with what scripts use of subprocess.Popen.",
    )
};

/// One run of QEMU.
#[pyclass(module = "test_driver.machine", name = "Process")]
#[derive(Debug, PyPayload)]
pub(crate) struct Process {
    session: Arc<Session>,
    link: Arc<Link>,
    machine: PyObjectRef,
    pid: Option<u32>,
    /// How it ended, once that was seen.
    status: Mutex<Option<i32>>,
}

#[pyclass]
impl Process {}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "poll",
        params: &[],
        returns: "int | None",
        doc: "Returns the exit status, or None while QEMU runs. A signal that ended it is a negative number.",
        call: |process, _arguments, vm| this_process(process, vm)?.poll(vm),
    },
    Function {
        name: "wait",
        params: &[Param::optional("timeout", "Duration | None", Literal::None)],
        returns: "int",
        doc: "Waits for QEMU's end and returns its exit status; raises subprocess.TimeoutExpired when the time is over.",
        call: |process, arguments, vm| {
            let process = this_process(process, vm)?;
            if process.status().is_none() {
                let timeout = arguments.timeout("timeout", vm)?;
                process.session.check_running(vm)?;
                let backend = &process.link.backend;
                let waited = vm.allow_threads(|| backend.wait_for_shutdown(timeout.limit));
                waited.or_else(|error| match error.kind {
                    MachineErrorKind::TimedOut { .. } => {
                        Err(power::still_running(&process.machine, &timeout, vm))
                    }
                    MachineErrorKind::Aborted { .. } => {
                        Err(process.session.exceptions.machine_failed(&error, vm))
                    }
                    // However it ended: that is what is asked for.
                    _ => Ok(()),
                })?;
            }
            process.poll(vm)
        },
    },
    Function {
        name: "terminate",
        params: &[],
        returns: "None",
        doc: "Ends QEMU at once, like machine.crash().",
        call: |process, _arguments, vm| this_process(process, vm)?.signal(Signal::SIGTERM, vm),
    },
    Function {
        name: "kill",
        params: &[],
        returns: "None",
        doc: "Ends QEMU at once, like machine.crash().",
        call: |process, _arguments, vm| this_process(process, vm)?.signal(Signal::SIGKILL, vm),
    },
    Function {
        name: "send_signal",
        params: &[Param::required("signal", "int")],
        returns: "None",
        doc: "Sends a signal to QEMU, such as signal.SIGSTOP; those that end it are machine.crash().",
        call: |process, arguments, vm| {
            let number: i32 = arguments.get("signal").clone().try_into_value(vm)?;
            let signal = Signal::try_from(number)
                .map_err(|_| vm.new_value_error(format!("no such signal: {number}")))?;
            this_process(process, vm)?.signal(signal, vm)
        },
    },
    Function {
        name: "write",
        params: &[Param::required("data", "bytes")],
        returns: "int",
        doc: "Types bytes on the machine's serial console, which is what QEMU reads from its standard input.",
        call: |process, arguments, vm| {
            let process = this_process(process, vm)?;
            let data = arguments.get("data");
            let bytes = match data.downcast_ref::<PyBytes>() {
                Some(bytes) => bytes.as_bytes().to_vec(),
                None => text(data, vm)?.into_bytes(),
            };
            let backend = &process.link.backend;
            process.session.call(vm, || backend.send_console(&bytes))?;
            Ok(vm.ctx.new_int(bytes.len()).into())
        },
    },
    Function {
        name: "flush",
        params: &[],
        returns: "None",
        doc: "Does nothing: what was written has been typed.",
        call: |_process, _arguments, vm| Ok(vm.ctx.none()),
    },
];

const PROPERTIES: &[Property] = &[
    Property {
        name: "pid",
        type_name: "int | None",
        doc: "Its process id.",
        get: |process, vm| match this_process(process, vm)?.pid {
            Some(pid) => Ok(vm.ctx.new_int(pid).into()),
            None => Ok(vm.ctx.none()),
        },
        access: Access::ReadOnly,
    },
    Property {
        name: "returncode",
        type_name: "int | None",
        doc: "Its exit status, or None while it runs.",
        get: |process, vm| this_process(process, vm)?.poll(vm),
        access: Access::ReadOnly,
    },
    Property {
        name: "stdin",
        type_name: "Process",
        doc: "What write() and flush() can be called on: QEMU's standard input is the serial console.",
        get: |process, _vm| Ok(process.to_owned()),
        access: Access::ReadOnly,
    },
];

impl Process {
    /// The object for the QEMU that has just been started.
    pub(super) fn object(machine: &PyObject, pid: Option<u32>, vm: &VirtualMachine) -> PyResult {
        let this = this(machine, vm)?;
        let link = link_of(machine, vm)?;
        Ok(Self {
            session: Arc::clone(&this.session),
            link,
            machine: machine.to_owned(),
            pid,
            status: Mutex::default(),
        }
        .into_ref(&vm.ctx)
        .into())
    }

    /// How it ended; none while it runs.
    pub(super) fn status(&self) -> Option<i32> {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let runs = self.pid.is_some() && self.link.backend.pid() == self.pid;
        if status.is_none() && !runs {
            *status = self.link.backend.exit_status();
        }
        *status
    }

    fn poll(&self, vm: &VirtualMachine) -> PyResult {
        match self.status() {
            Some(status) => Ok(vm.ctx.new_int(status).into()),
            None => Ok(vm.ctx.none()),
        }
    }

    fn signal(&self, signal: Signal, vm: &VirtualMachine) -> PyResult {
        let backend = &self.link.backend;
        let Some(pid) = self.pid.filter(|pid| backend.pid() == Some(*pid)) else {
            return Ok(vm.ctx.none());
        };
        match signal {
            // The runner is to know that the script wants it.
            Signal::SIGTERM | Signal::SIGKILL | Signal::SIGINT | Signal::SIGQUIT => {
                self.session.call(vm, || backend.crash())?;
            }
            signal => {
                let pid = i32::try_from(pid).map_err(|_| vm.new_value_error("no such process"))?;
                signal::kill(Pid::from_raw(pid), signal).map_err(|error| {
                    vm.new_os_error(format!("cannot signal QEMU: {}", error.desc()))
                })?;
            }
        }
        Ok(vm.ctx.none())
    }
}

fn this_process<'a>(process: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Process>> {
    process
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a Process"))
}

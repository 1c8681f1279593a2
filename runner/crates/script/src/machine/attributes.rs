//! The attributes of a machine that are not methods.
//!
//! A script may write nearly all of them, as in the original driver, where they are plain attributes. An object that has
//! no virtual machine behind it lacks those that only one can fill, so that a subclass's `__getattr__` is asked for them.

use std::path::PathBuf;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{AsObject, PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::link::Link;
use super::qmp::QmpSession;
use super::shell::ShellSocket;
use super::{Machine, console, efi, link_of, this};
use crate::api::{Access, Property};
use crate::log::Log;
use crate::{modules, paths};

/// An attribute that is what a script wrote, if it did.
const fn written(
    name: &'static str,
    type_name: &'static str,
    doc: &'static str,
    get: fn(&PyObject, &VirtualMachine) -> PyResult,
) -> Property {
    Property {
        name,
        type_name,
        doc,
        get,
        access: Access::Written,
    }
}

pub(super) const PROPERTIES: &[Property] = &[
    written(
        "name",
        "str",
        "The name, as in the test's `nodes`.",
        |machine, vm| Ok(vm.ctx.new_str(link(machine, vm)?.backend.name()).into()),
    ),
    Property {
        name: "booted",
        type_name: "bool",
        doc: "Whether the machine was started and its end was not seen.",
        get: |machine, vm| match kept(machine, "booted", vm)? {
            Some(value) => Ok(value),
            None => Ok(vm.ctx.new_bool(link(machine, vm)?.is_booted()).into()),
        },
        access: Access::Set(|machine, value, vm| {
            match this(machine, vm)?.link.get() {
                Some(link) => link.set_booted(value.try_to_bool(vm)?),
                None => keep(machine, "booted", value, vm)?,
            }
            Ok(())
        }),
    },
    Property {
        name: "connected",
        type_name: "bool",
        doc: "Whether commands can be run in the machine at once. After writing False, connect() waits until the guest has \
              answered anew: for a script that knows of a reboot before anybody else does.",
        get: |machine, vm| match kept(machine, "connected", vm)? {
            Some(value) => Ok(value),
            None => Ok(vm.ctx.new_bool(link(machine, vm)?.is_connected()).into()),
        },
        access: Access::Set(|machine, value, vm| {
            match this(machine, vm)?.link.get() {
                Some(link) => {
                    let value = value.try_to_bool(vm)?;
                    link.forget_boot();
                    link.state().connected = Some(value);
                }
                None => keep(machine, "connected", value, vm)?,
            }
            Ok(())
        }),
    },
    written(
        "pid",
        "int | None",
        "The process id of QEMU while it runs.",
        |machine, vm| match link(machine, vm)?.backend.pid() {
            Some(pid) => Ok(vm.ctx.new_int(pid).into()),
            None => Ok(vm.ctx.none()),
        },
    ),
    written(
        "process",
        "Process | None",
        "QEMU's process, with the methods of subprocess.Popen; None before the first start.",
        |machine, vm| Ok(vm.unwrap_or_none(link(machine, vm)?.state().process.clone())),
    ),
    Property {
        name: "early",
        type_name: "Machine",
        doc: "The same machine, whose execute, succeed, fail, wait_until_succeeds and wait_until_fails do not wait until \
              the guest is up: commands run as soon as the agent answers, from the end of the initrd on.",
        get: |machine, vm| {
            let this = this(machine, vm)?;
            let Some(link) = this.link.get() else {
                return Err(missing(machine, vm));
            };
            if this.early {
                return Ok(machine.to_owned());
            }
            let early = Machine::object(&this.session, link.clone(), true, vm)?;
            // What a script wrote is the same for both.
            if let (Some(attributes), Some(copy)) = (machine.dict(), early.dict()) {
                vm.call_method(copy.as_object(), "update", (attributes,))?;
            }
            Ok(early)
        },
        access: Access::ReadOnly,
    },
    written(
        "allow_reboot",
        "bool",
        "Whether QEMU is to go on when the guest reboots, for starts that do not say it.",
        |machine, vm| {
            link(machine, vm)?;
            Ok(vm.ctx.new_bool(false).into())
        },
    ),
    written(
        "out_dir",
        "Path",
        "The directory that becomes the test's output: screenshots and copies go there.",
        |machine, vm| {
            link(machine, vm)?;
            paths::to_python(this(machine, vm)?.session.driver().out_dir(), vm)
        },
    ),
    written(
        "tmp_dir",
        "Path",
        "The host's directory in which those of the machines lie.",
        |machine, vm| {
            link(machine, vm)?;
            paths::to_python(this(machine, vm)?.session.driver().tmp_dir(), vm)
        },
    ),
    written(
        "state_dir",
        "Path",
        "The host's directory for what belongs to this machine alone, such as its disks. \
         A machine that was given another one's before its start takes over its disks.",
        |machine, vm| paths::to_python(link(machine, vm)?.backend.state_dir(), vm),
    ),
    written(
        "shared_dir",
        "Path",
        "The host's directory that all guests see as /tmp/shared.",
        |machine, vm| {
            link(machine, vm)?;
            paths::to_python(this(machine, vm)?.session.driver().shared_dir(), vm)
        },
    ),
    written(
        "keep_machine_state",
        "bool",
        "Whether the state directory is kept from one run to the next.",
        |machine, vm| {
            link(machine, vm)?;
            Ok(vm.ctx.new_bool(false).into())
        },
    ),
    written(
        "keep_vm_state",
        "bool",
        "The old name of keep_machine_state.",
        |machine, vm| machine.get_attr("keep_machine_state", vm),
    ),
    written(
        "callbacks",
        "list[Callable[[], Any]]",
        "Functions that run_callbacks() calls.",
        |machine, vm| {
            link(machine, vm)?;
            // The same list each time: scripts add to it.
            let callbacks: PyObjectRef = vm.ctx.new_list(Vec::new()).into();
            machine.set_attr("callbacks", callbacks.clone(), vm)?;
            Ok(callbacks)
        },
    ),
    written(
        "start_command",
        "str | None",
        "The command of the host's shell that starts the machine, of one that create_machine() made.",
        nothing,
    ),
    written("logger", "Logger", "The log.", |machine, vm| {
        Ok(Log::object(&this(machine, vm)?.session, vm))
    }),
    written(
        "shell",
        "Shell | None",
        "A shell of its own in the guest, with the methods of a socket: what is sent is run, and what is received is its \
         output. None while the machine does not run.",
        |machine, vm| {
            let link = link(machine, vm)?;
            if !link.is_booted() {
                return Ok(vm.ctx.none());
            }
            if let Some(shell) = link.state().shell.clone() {
                return Ok(shell);
            }
            let made = ShellSocket::object(machine, vm)?;
            Ok(link.state().shell.get_or_insert(made).clone())
        },
    ),
    written(
        "qmp_client",
        "QMPSession | None",
        "QEMU's machine protocol (QMP); None before the first start.",
        |machine, vm| {
            let link = link(machine, vm)?;
            if link.state().process.is_none() {
                return Ok(vm.ctx.none());
            }
            if let Some(client) = link.state().qmp_client.clone() {
                return Ok(client);
            }
            let made = QmpSession::object(machine, vm)?;
            Ok(link.state().qmp_client.get_or_insert(made).clone())
        },
    ),
    written(
        "full_console_log",
        "list[str]",
        "The lines that the serial console has shown since the machine's last start.",
        |machine, vm| {
            let text = console::log(machine, vm)?;
            let lines = text.lines().map(|line| vm.ctx.new_str(line).into());
            Ok(vm.ctx.new_list(lines.collect()).into())
        },
    ),
    written(
        "last_lines",
        "Queue[str]",
        "The console's lines that no wait_for_console_text() has taken; a line that is got from here is taken, too.",
        |machine, vm| {
            let link = link_of(machine, vm)?;
            if let Some(lines) = link.state().last_lines.clone() {
                return Ok(lines);
            }
            let class = modules::import_from("test_driver.machine.console", "ConsoleLines", vm)?;
            let made = class.call((machine.to_owned(),), vm)?;
            Ok(link.state().last_lines.get_or_insert(made).clone())
        },
    ),
    written(
        "efi_vars_path",
        "Path",
        "The file with the variables of the machine's UEFI firmware, on the host.",
        efi::default_path,
    ),
    written(
        "efi_vars",
        "EfiVars",
        "The variables of the machine's UEFI firmware; read_efi_vars() and write_efi_vars() go through it.",
        efi::new_store,
    ),
    written(
        "monitor",
        "None",
        "None: QEMU's monitor is the runner's; send_monitor_command() speaks to it.",
        nothing,
    ),
    written(
        "serial_thread",
        "None",
        "None: the runner reads the serial console.",
        nothing,
    ),
    written(
        "vsock_guest",
        "None",
        "None: the machine has no vsock.",
        nothing,
    ),
    written(
        "vsock_host",
        "None",
        "None: the machine has no vsock.",
        nothing,
    ),
    written(
        "monitor_path",
        "Path",
        "Where other drivers have the socket of QEMU's monitor.",
        |machine, vm| below_state_dir(machine, "monitor", vm),
    ),
    written(
        "qmp_path",
        "Path",
        "Where other drivers have the socket of QMP.",
        |machine, vm| below_state_dir(machine, "qmp", vm),
    ),
    written(
        "shell_path",
        "Path",
        "Where other drivers have the socket of the guest's shell.",
        |machine, vm| below_state_dir(machine, "shell", vm),
    ),
];

/// The virtual machine, or the error that an attribute is missing.
fn link<'a>(machine: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Link> {
    let this = this(machine, vm)?;
    this.link
        .get()
        .map(|link| &**link)
        .ok_or_else(|| missing(machine, vm))
}

fn missing(machine: &PyObject, vm: &VirtualMachine) -> PyBaseExceptionRef {
    vm.new_attribute_error(format!(
        "this '{}' object was not made by the driver: no virtual machine is behind it that has such an attribute",
        machine.class().name()
    ))
}

/// What an object keeps of an attribute.
fn kept(machine: &PyObject, name: &str, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
    match machine.dict() {
        Some(attributes) => attributes.get_item_opt(name, vm),
        None => Ok(None),
    }
}

/// Has an object without a virtual machine keep an attribute.
fn keep(machine: &PyObject, name: &str, value: PyObjectRef, vm: &VirtualMachine) -> PyResult<()> {
    match machine.dict() {
        Some(attributes) => attributes.set_item(name, value, vm),
        None => Err(missing(machine, vm)),
    }
}

fn nothing(machine: &PyObject, vm: &VirtualMachine) -> PyResult {
    link(machine, vm)?;
    Ok(vm.ctx.none())
}

fn below_state_dir(machine: &PyObject, name: &str, vm: &VirtualMachine) -> PyResult {
    paths::to_python(&state_dir(machine, vm)?.join(name), vm)
}

/// The state directory, as it is now.
pub(super) fn state_dir(machine: &PyObject, vm: &VirtualMachine) -> PyResult<PathBuf> {
    paths::from_python(&machine.get_attr("state_dir", vm)?, vm)
}

/// The directory for the test's output, as it is now.
pub(super) fn out_dir(machine: &PyObject, vm: &VirtualMachine) -> PyResult<PathBuf> {
    paths::from_python(&machine.get_attr("out_dir", vm)?, vm)
}

/// The state directory that a script gave the machine.
pub(super) fn written_state_dir(
    machine: &PyObject,
    vm: &VirtualMachine,
) -> PyResult<Option<PathBuf>> {
    let written = match machine.dict() {
        Some(attributes) => attributes.get_item_opt("state_dir", vm)?,
        None => None,
    };
    written
        .map(|path| paths::from_python(&path, vm))
        .transpose()
}

/// Whether a script has allowed all starts of the machine to reboot.
pub(super) fn written_allow_reboot(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    machine.get_attr("allow_reboot", vm)?.try_to_bool(vm)
}

//! Starting, connecting and ending a machine.

use std::sync::PoisonError;
use std::time::Duration;

use rustpython_vm::builtins::PyBaseExceptionRef;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::messages::say;
use super::process::Process;
use super::{attributes, backend_of, console, find_link, is_own, link_of, step, this};
use crate::api::{Function, Literal, Param};
use crate::arguments::Arguments;
use crate::backend::{self, MachineErrorKind};
use crate::event::Level;
use crate::timeouts::Timeout;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "start",
        params: &[Param::optional(
            "allow_reboot",
            "bool",
            Literal::Bool(false),
        )],
        returns: "None",
        doc: "Starts the machine without waiting for it to boot; does nothing when it runs. \
              Without allow_reboot, a reboot of the guest ends it. \
              There is seldom a need to call it: whatever needs the machine starts it.",
        call: |machine, arguments, vm| {
            start(machine, arguments.flag("allow_reboot", vm)?, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "connect",
        params: &[],
        returns: "None",
        doc: "Starts the machine if needed and waits until it is up, so far that commands can be run in it. Does nothing \
              when it is. After `machine.connected = False` it waits until the guest has answered anew.",
        call: |machine, _arguments, vm| {
            connect(machine, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "is_up",
        params: &[],
        returns: "bool",
        doc: "Whether the machine runs and commands can be run in it at once.",
        call: |machine, _arguments, vm| {
            Ok(vm
                .ctx
                .new_bool(is_booted(machine, vm)? && is_connected(machine, vm)?)
                .into())
        },
    },
    Function {
        name: "wait_for_shutdown",
        params: &[Param::optional("timeout", "Duration | None", Literal::None)],
        returns: "None",
        doc: "Waits until the machine has powered off; does not ask it to. Returns at once when it does not run. \
              A machine that ends in another way, or whose kernel panics, is warned of, and may start again. \
              When the time is over, it raises subprocess.TimeoutExpired.",
        call: |machine, arguments, vm| {
            wait_for_shutdown(machine, &arguments.timeout("timeout", vm)?, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "shutdown",
        params: &[],
        returns: "None",
        doc: "Powers the machine off and waits for its end. Does nothing when it does not run.",
        call: shutdown,
    },
    Function {
        name: "crash",
        params: &[],
        returns: "None",
        doc: "Ends the machine at once, like a power failure. Does nothing when it does not run.",
        call: |machine, _arguments, vm| end(machine, "forced crash", vm),
    },
    Function {
        name: "release",
        params: &[],
        returns: "None",
        doc: "Ends the machine at once, as the driver does by itself when the test is over.",
        call: |machine, _arguments, vm| {
            let Some(pid) = link_of(machine, vm)?.backend.pid() else {
                return Ok(vm.ctx.none());
            };
            let class = machine.class().name().to_string();
            end(machine, &format!("kill {class} (pid {pid})"), vm)
        },
    },
    Function {
        name: "reboot",
        params: &[],
        returns: "None",
        doc: "Presses Ctrl-Alt-Delete; the next command waits for the next boot. \
              For a machine that was started with allow_reboot=True: any other ends then.",
        call: |machine, _arguments, vm| {
            let this = this(machine, vm)?;
            let link = link_of(machine, vm)?;
            if is_own(machine, vm.ctx.intern_str("send_key"), vm) {
                step(machine, "sending key 'ctrl-alt-delete'", vm, || {
                    this.session.call(vm, || link.backend.reset())
                })?;
                link.forget_boot();
            } else {
                vm.call_method(machine, "send_key", ("ctrl-alt-delete",))?;
                link.forget_boot();
                link.state().connected = Some(false);
            }
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "switch_root",
        params: &[],
        returns: "None",
        doc: "Lets a guest whose boot waits in its initrd for the test (option `testing.initrdBackdoor`) go on to its root \
              file system, and waits until it is up.",
        call: switch_root,
    },
    Function {
        name: "cleanup_statedir",
        params: &[],
        returns: "None",
        doc: "Deletes what the machine has left in its state directory, its disks among that.",
        call: cleanup_statedir,
    },
];

pub(super) fn is_booted(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    Ok(find_link(machine, vm)?.is_some_and(|link| link.is_booted()))
}

fn is_connected(machine: &PyObject, vm: &VirtualMachine) -> PyResult<bool> {
    Ok(find_link(machine, vm)?.is_some_and(|link| link.is_connected()))
}

/// Has the guest so far that the next command can be run in it, by way of the object: a subclass may have its own
/// `connect` or `start`.
pub(super) fn ensure_reachable(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(machine, vm)?;
    if this.early {
        // The agent answers long before the guest is up; the command waits for that.
        if !is_booted(machine, vm)? {
            vm.call_method(machine, "start", ())?;
        }
    } else if !is_connected(machine, vm)? {
        vm.call_method(machine, "connect", ())?;
    }
    Ok(())
}

fn connect(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(machine, vm)?;
    if is_connected(machine, vm)? {
        return Ok(());
    }
    step(machine, "waiting for the VM to finish booting", vm, || {
        vm.call_method(machine, "start", ())?;
        let link = link_of(machine, vm)?;
        // The script knows of a reboot that nobody else has seen.
        let anew = link.state().connected == Some(false);
        let driver = this.session.driver();
        let before = driver.now();
        this.session.call(vm, || {
            if anew {
                link.backend.reconnect()
            } else {
                link.backend.connect()
            }
        })?;
        link.forget_boot();
        let seconds = driver.now().saturating_duration_since(before).as_secs_f64();
        say(machine, "connected to guest root shell".to_owned(), vm)?;
        say(
            machine,
            format!("(connecting took {seconds:.2} seconds)"),
            vm,
        )
    })
}

fn start(machine: &PyObject, allow_reboot: bool, vm: &VirtualMachine) -> PyResult<()> {
    if is_booted(machine, vm)? {
        return Ok(());
    }
    let this = this(machine, vm)?;
    let link = link_of(machine, vm)?;
    let _starting =
        vm.allow_threads(|| link.starting.lock().unwrap_or_else(PoisonError::into_inner));
    if link.is_booted() {
        return Ok(());
    }
    say(machine, "starting vm".to_owned(), vm)?;
    let start = backend::Start {
        allow_reboot: allow_reboot || attributes::written_allow_reboot(machine, vm)?,
        state_dir: attributes::written_state_dir(machine, vm)?,
    };
    // What the last run came to can be asked for no longer.
    let last = link.state().process.clone();
    if let Some(process) = last
        .as_ref()
        .and_then(|last| last.downcast_ref::<Process>())
    {
        process.status();
    }
    // What the console showed before is not of this run.
    console::begin_run(&link);
    this.session.call(vm, || link.backend.start(&start))?;
    link.forget_boot();
    link.set_booted(true);
    set_process(machine, vm)
}

/// A QEMU of the machine's was started.
pub(super) fn set_process(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let link = link_of(machine, vm)?;
    let pid = link.backend.pid();
    let process = Process::object(machine, pid, vm)?;
    link.state().process = Some(process);
    match pid {
        Some(pid) => say(machine, format!("QEMU running (pid {pid})"), vm),
        None => Ok(()),
    }
}

fn shutdown(machine: &PyObject, _arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    if is_booted(machine, vm)? {
        let backend = backend_of(machine, vm)?;
        match ensure_reachable(machine, vm) {
            Ok(()) => this.session.call(vm, || backend.power_off())?,
            // It was going down already.
            Err(_) if has_powered_off(&*backend, vm) => {}
            Err(error) => return Err(error),
        }
        vm.call_method(machine, "wait_for_shutdown", ())?;
    }
    Ok(vm.ctx.none())
}

/// Whether the guest has ended the machine itself.
fn has_powered_off(backend: &dyn backend::Machine, vm: &VirtualMachine) -> bool {
    let ended = vm.allow_threads(|| backend.wait_for_shutdown(Some(Duration::ZERO)));
    ended.is_ok()
}

fn end(machine: &PyObject, message: &str, vm: &VirtualMachine) -> PyResult {
    let this = this(machine, vm)?;
    if is_booted(machine, vm)? {
        say(machine, message.to_owned(), vm)?;
        let backend = backend_of(machine, vm)?;
        this.session.call(vm, || backend.crash())?;
        vm.call_method(machine, "wait_for_shutdown", ())?;
    }
    Ok(vm.ctx.none())
}

fn wait_for_shutdown(machine: &PyObject, timeout: &Timeout, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(machine, vm)?;
    if !is_booted(machine, vm)? {
        return Ok(());
    }
    let link = link_of(machine, vm)?;
    step(machine, "waiting for the VM to power off", vm, || {
        this.session.check_running(vm)?;
        let ended = vm.allow_threads(|| link.backend.wait_for_shutdown(timeout.limit));
        match ended {
            Ok(()) => {}
            Err(error) => match &error.kind {
                MachineErrorKind::TimedOut { .. } => {
                    return Err(still_running(machine, timeout, vm));
                }
                // Its end is what was waited for, whatever it was like.
                MachineErrorKind::Died { .. }
                | MachineErrorKind::Panicked { .. }
                | MachineErrorKind::Broken { .. } => {
                    let name = super::name(machine, vm)?;
                    let words = error.kind.to_string();
                    this.session.message(Level::Warning, Some(&name), words);
                    // The script knows of it: nothing of it is left for the next start.
                    this.session.call(vm, || link.backend.crash())?;
                }
                _ => return Err(this.session.exceptions.machine_failed(&error, vm)),
            },
        }
        link.set_booted(false);
        link.forget_boot();
        Ok(())
    })
}

/// What waiting for a process raises in Python when its time is over.
pub(super) fn still_running(
    machine: &PyObject,
    timeout: &Timeout,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    let exception = || -> PyResult<PyBaseExceptionRef> {
        let name = super::name(machine, vm)?;
        let class = vm.import("subprocess", 0)?.get_attr("TimeoutExpired", vm)?;
        let seconds = timeout.limit.unwrap_or_default().as_secs_f64();
        class
            .call((format!("virtual machine {name}"), seconds), vm)?
            .try_into_value(vm)
    };
    exception().unwrap_or_else(|error| error)
}

fn switch_root(machine: &PyObject, _arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    vm.call_method(machine, "wait_for_unit", ("initrd.target",))?;
    let command = "systemctl isolate --no-block initrd-switch-root.target";
    vm.call_method(machine, "execute", (command, false, false))?;
    machine.set_attr("connected", vm.ctx.new_bool(false), vm)?;
    vm.call_method(machine, "connect", ())
}

fn cleanup_statedir(machine: &PyObject, _arguments: &Arguments, vm: &VirtualMachine) -> PyResult {
    let state_dir = attributes::state_dir(machine, vm)?;
    let shown = state_dir.display();
    say(
        machine,
        format!("deleting machine state directory {shown}"),
        vm,
    )?;
    vm.allow_threads(|| std::fs::remove_dir_all(&state_dir))
        .map_err(|error| vm.new_os_error(format!("cannot delete {shown}: {error}")))?;
    Ok(vm.ctx.none())
}

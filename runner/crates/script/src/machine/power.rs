//! Starting, connecting and ending a machine.

use std::sync::atomic::Ordering;

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{name, step, this};
use crate::api::{Function, Literal, Param};
use crate::backend;
use crate::event::Level;

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
              Without allow_reboot, a reboot of the guest ends it.",
        call: |machine, arguments, vm| {
            start(machine, arguments.flag("allow_reboot", vm)?, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "connect",
        params: &[],
        returns: "None",
        doc: "Starts the machine if needed and waits until commands can be run in it.",
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
            Ok(vm.ctx.new_bool(this(machine, vm)?.is_connected()).into())
        },
    },
    Function {
        name: "wait_for_shutdown",
        params: &[],
        returns: "None",
        doc: "Waits until the machine has powered off; does not ask it to.",
        call: |machine, _arguments, vm| {
            wait_for_shutdown(machine, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "shutdown",
        params: &[],
        returns: "None",
        doc: "Powers the machine off and waits for its end.",
        call: |machine, _arguments, vm| {
            let this = this(machine, vm)?;
            if this.is_booted() {
                ensure_connected(machine, vm)?;
                let backend = &this.link(vm)?.backend;
                this.session.call(vm, || backend.power_off())?;
                wait_for_shutdown(machine, vm)?;
            }
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "crash",
        params: &[],
        returns: "None",
        doc: "Ends the machine at once, like a power failure.",
        call: |machine, _arguments, vm| {
            let this = this(machine, vm)?;
            if this.is_booted() {
                say(machine, "forced crash".to_owned(), vm)?;
                let backend = &this.link(vm)?.backend;
                this.session.call(vm, || backend.crash())?;
                wait_for_shutdown(machine, vm)?;
            }
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "reboot",
        params: &[],
        returns: "None",
        doc: "Presses Ctrl-Alt-Delete; the next command waits for the next boot. \
              For a machine that was started with allow_reboot=True.",
        call: |machine, _arguments, vm| {
            let this = this(machine, vm)?;
            let backend = &this.link(vm)?.backend;
            step(machine, "sending key 'ctrl-alt-delete'", vm, || {
                this.session.call(vm, || backend.reset())
            })?;
            Ok(vm.ctx.none())
        },
    },
];

/// Connects through the object, so that a subclass's own `connect` is used, unless commands can be run at once.
pub(super) fn ensure_connected(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    if !this(machine, vm)?.is_connected() {
        vm.call_method(machine, "connect", ())?;
    }
    Ok(())
}

fn connect(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(machine, vm)?;
    if this.is_connected() {
        return Ok(());
    }
    step(machine, "waiting for the VM to finish booting", vm, || {
        vm.call_method(machine, "start", ())?;
        let backend = &this.link(vm)?.backend;
        let driver = this.session.driver();
        let before = driver.now();
        this.session.call(vm, || backend.connect())?;
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
    let this = this(machine, vm)?;
    if this.is_booted() {
        return Ok(());
    }
    let link = this.link(vm)?;
    say(machine, "starting vm".to_owned(), vm)?;
    let start = backend::Start {
        allow_reboot,
        state_dir: None,
    };
    this.session.call(vm, || link.backend.start(&start))?;
    link.booted.store(true, Ordering::Release);
    match link.backend.pid() {
        Some(pid) => say(machine, format!("QEMU running (pid {pid})"), vm),
        None => Ok(()),
    }
}

fn wait_for_shutdown(machine: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(machine, vm)?;
    if !this.is_booted() {
        return Ok(());
    }
    let link = this.link(vm)?;
    step(machine, "waiting for the VM to power off", vm, || {
        this.session
            .call(vm, || link.backend.wait_for_shutdown(None))?;
        link.booted.store(false, Ordering::Release);
        Ok(())
    })
}

fn say(machine: &PyObject, text: String, vm: &VirtualMachine) -> PyResult<()> {
    this(machine, vm)?
        .session
        .message(Level::Info, Some(&name(machine, vm)?), text);
    Ok(())
}

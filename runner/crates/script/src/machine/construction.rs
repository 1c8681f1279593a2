//! `Machine(…)`, as a subclass's `super().__init__(…)` calls it.

use std::sync::Arc;

use rustpython_vm::function::FuncArgs;
use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::link::Link;
use super::this;
use crate::api::{Function, Literal, Param};
use crate::arguments;
use crate::backend::NewMachine;

/// What it takes.
pub(super) const PARAMS: &[Param] = &[
    Param::required("out_dir", "Path"),
    Param::required("tmp_dir", "Path"),
    Param::required("start_command", "str"),
    Param::required("logger", "Logger"),
    Param::optional("name", "str | None", Literal::None),
    Param::optional("keep_machine_state", "bool", Literal::Bool(false)).formerly("keep_vm_state"),
    Param::optional("callbacks", "list[Callable[[], Any]] | None", Literal::None),
    Param::optional("vsock_guest", "Path | None", Literal::None),
    Param::optional("vsock_host", "Path | None", Literal::None),
];

/// How other drivers make machines. `Machine()` alone makes an object without a virtual machine.
static INIT: Function = Function {
    name: "__init__",
    params: PARAMS,
    returns: "None",
    doc: "Makes a machine that a command of the host's shell starts; create_machine() is the usual way.",
    call: |machine, arguments, vm| {
        let this = this(machine, vm)?;
        let new = NewMachine {
            name: arguments.optional_text("name", vm)?,
            start_command: arguments.text("start_command", vm)?,
            keep_state: arguments.flag("keep_machine_state", vm)?,
        };
        let driver = this.session.driver();
        let backend = this.session.call(vm, || driver.create_machine(&new))?;
        let name = vm.ctx.new_str(backend.name());
        // A second call changes attributes only: the machine is there.
        let _ = this.link.set(Arc::new(Link::new(&backend)));
        machine.set_attr("name", name, vm)?;
        for param in [
            "out_dir",
            "tmp_dir",
            "start_command",
            "logger",
            "keep_machine_state",
        ] {
            machine.set_attr(param, arguments.get(param).clone(), vm)?;
        }
        if !vm.is_none(arguments.get("callbacks")) {
            machine.set_attr("callbacks", arguments.get("callbacks").clone(), vm)?;
        }
        Ok(vm.ctx.none())
    },
};

/// Does what `__init__` is called for.
pub(super) fn init(machine: &PyObject, given: FuncArgs, vm: &VirtualMachine) -> PyResult<()> {
    if given.args.is_empty() && given.kwargs.is_empty() {
        return Ok(());
    }
    let arguments = arguments::bind("Machine", &INIT, given, vm)?;
    (INIT.call)(machine, &arguments, vm).map(drop)
}

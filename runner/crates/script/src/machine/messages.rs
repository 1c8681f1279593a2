//! What is written to the log in a machine's name.

use rustpython_vm::{PyObject, PyResult, VirtualMachine};

use super::{name, this};
use crate::api::{Function, Literal, Param};
use crate::event::Level;
use crate::steps::Step;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "log",
        params: &[Param::required("msg", "str")],
        returns: "None",
        doc: "Writes a message to the log, as the machine's.",
        call: |machine, arguments, vm| {
            say(machine, arguments.text("msg", vm)?, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "log_serial",
        params: &[Param::required("msg", "str")],
        returns: "None",
        doc: "Writes a line to the log as if the machine's serial console had shown it.",
        call: |machine, arguments, vm| {
            say(machine, format!("# {}", arguments.text("msg", vm)?), vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "nested",
        params: &[
            Param::required("msg", "str"),
            Param::optional("attrs", "dict[str, str]", Literal::EmptyDict),
        ],
        returns: "AbstractContextManager[None]",
        doc: "A context manager, and a decorator, that shows its block in the log as a step of this machine.",
        call: |machine, arguments, vm| {
            let name = match arguments.entry("attrs", "machine", vm)? {
                Some(other) => other,
                None => name(machine, vm)?,
            };
            let message = arguments.text("msg", vm)?;
            Ok(Step::nested(
                &this(machine, vm)?.session,
                Some(name),
                message,
                vm,
            ))
        },
    },
];

/// Writes a message to the log, through the session: it is the driver's own.
pub(super) fn say(machine: &PyObject, text: String, vm: &VirtualMachine) -> PyResult<()> {
    let name = name(machine, vm)?;
    this(machine, vm)?
        .session
        .message(Level::Info, Some(&name), text);
    Ok(())
}

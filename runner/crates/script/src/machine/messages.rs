//! What a script writes to the log in a machine's name.

use super::{name, this};
use crate::api::{Function, Literal, Param};
use crate::event::Level;
use crate::steps::Step;

pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        name: "log",
        params: &[Param::required("msg", "str")],
        returns: "None",
        doc: "Writes a message to the log.",
        call: |machine, arguments, vm| {
            let name = name(machine, vm)?;
            let text = arguments.text("msg", vm)?;
            this(machine, vm)?
                .session
                .message(Level::Info, Some(&name), text);
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
        doc: "A context manager that shows its block in the log as a step of this machine.",
        call: |machine, arguments, vm| {
            let name = name(machine, vm)?;
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

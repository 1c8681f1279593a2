//! The object `log`: messages and steps that belong to no machine.

use std::sync::Arc;

use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::api::{Class, Function, Literal, Param};
use crate::arguments::{Arguments, text};
use crate::event::Level;
use crate::session::Session;
use crate::steps::Step;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    name: "Logger",
    topics: &[FUNCTIONS],
    properties: &[],
};

/// The object.
#[pyclass(module = "test_driver.logger", name = "Logger")]
#[derive(Debug, PyPayload)]
pub(crate) struct Log {
    session: Arc<Session>,
}

#[pyclass]
impl Log {}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "log",
        params: &[Param::required("message", "str"), attributes()],
        returns: "None",
        doc: "Writes a message to the log.",
        call: |log, arguments, vm| {
            let machine = arguments.entry("attributes", "machine", vm)?;
            let text = arguments.text("message", vm)?;
            session(log, vm)?.message(Level::Info, machine.as_deref(), text);
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "debug",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a message to the log, if it shows details.",
        call: |log, arguments, vm| write(log, arguments, Level::Debug, vm),
    },
    Function {
        name: "info",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a message to the log.",
        call: |log, arguments, vm| write(log, arguments, Level::Info, vm),
    },
    Function {
        name: "warning",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a warning to the log.",
        call: |log, arguments, vm| write(log, arguments, Level::Warning, vm),
    },
    Function {
        name: "error",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes an error to the log and ends the test, which has failed.",
        call: |log, arguments, vm| {
            write(log, arguments, Level::Error, vm)?;
            let class = vm.ctx.exceptions.system_exit.to_owned();
            Err(vm.new_exception(class, vec![vm.ctx.new_int(1).into()]))
        },
    },
    Function {
        name: "log_test_error",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes an error to the log.",
        call: |log, arguments, vm| write(log, arguments, Level::Error, vm),
    },
    Function {
        name: "nested",
        params: &[Param::required("message", "str"), attributes()],
        returns: "AbstractContextManager[None]",
        doc: "A context manager that shows its block in the log as a step.",
        call: |log, arguments, vm| {
            let machine = arguments.entry("attributes", "machine", vm)?;
            let message = arguments.text("message", vm)?;
            Ok(Step::nested(session(log, vm)?, machine, message, vm))
        },
    },
    Function {
        name: "subtest",
        params: &[Param::required("name", "str"), attributes()],
        returns: "AbstractContextManager[None]",
        doc: "A context manager that shows its block as a test of its own.",
        call: |log, arguments, vm| {
            Ok(Step::subtest(
                session(log, vm)?,
                arguments.text("name", vm)?,
                vm,
            ))
        },
    },
];

const LEVEL_PARAMS: &[Param] = &[Param::rest("args", "Any"), Param::keywords("kwargs", "Any")];

const fn attributes() -> Param {
    Param::optional("attributes", "dict[str, str]", Literal::EmptyDict)
}

impl Log {
    /// The object for one run.
    pub(crate) fn object(session: &Arc<Session>, vm: &VirtualMachine) -> PyObjectRef {
        Self {
            session: Arc::clone(session),
        }
        .into_ref(&vm.ctx)
        .into()
    }
}

fn session<'a>(log: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Arc<Session>> {
    let log: Option<&Py<Log>> = log.downcast_ref();
    log.map(|log| &log.session)
        .ok_or_else(|| vm.new_type_error("expected a Logger"))
}

/// Writes the first argument, as the original does; a keyword may name the machine.
fn write(log: &PyObject, arguments: &Arguments, level: Level, vm: &VirtualMachine) -> PyResult {
    let Some(message) = arguments.rest().first() else {
        return Err(vm.new_type_error("missing the message"));
    };
    let machine = arguments.entry("kwargs", "machine", vm)?;
    session(log, vm)?.message(level, machine.as_deref(), text(message, vm)?);
    Ok(vm.ctx.none())
}

//! The object `log`: messages and steps that belong to no machine.

use std::sync::Arc;

use rustpython_vm::builtins::{PyDictRef, PyType};
use rustpython_vm::function::{FuncArgs, KwArgs};
use rustpython_vm::types::{Constructor, Initializer};
use rustpython_vm::{
    Py, PyObject, PyObjectRef, PyPayload, PyRef, PyResult, VirtualMachine, pyclass,
};

use crate::api::{Access, Class, Function, Literal, Param, Property, Topic};
use crate::arguments::{Arguments, entry, text};
use crate::event::Level;
use crate::session::Session;
use crate::steps::Step;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    also: &["AbstractLogger", "CompositeLogger"],
    topics: &[Topic::only(FUNCTIONS)],
    properties: PROPERTIES,
    ..Class::new(
        "Logger",
        "test_driver.logger",
        "The log, for what belongs to no machine.",
    )
};

/// The object.
#[pyclass(module = "test_driver.logger", name = "Logger")]
#[derive(Debug, PyPayload)]
pub(crate) struct Log {
    session: Arc<Session>,
}

impl Constructor for Log {
    type Args = FuncArgs;

    fn py_new(_class: &Py<PyType>, _args: FuncArgs, vm: &VirtualMachine) -> PyResult<Self> {
        Ok(Self {
            session: Session::of(vm)?,
        })
    }
}

impl Initializer for Log {
    type Args = FuncArgs;

    /// Classes that a script derives have arguments of their own.
    fn init(_zelf: PyRef<Self>, _args: FuncArgs, _vm: &VirtualMachine) -> PyResult<()> {
        Ok(())
    }
}

#[pyclass(flags(BASETYPE, HAS_DICT), with(Constructor, Initializer))]
impl Log {}

const PROPERTIES: &[Property] = &[Property {
    name: "logger_list",
    type_name: "list[Any]",
    doc: "Objects of the script's own that get what it logs, too.",
    get: |log, vm| {
        // The same list each time: scripts add to it.
        let list: PyObjectRef = vm.ctx.new_list(Vec::new()).into();
        log.set_attr("logger_list", list.clone(), vm)?;
        Ok(list)
    },
    access: Access::Written,
}];

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
            pass_on(log, "log", arguments, &["message", "attributes"], vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "debug",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a message to the log, if it shows details: after set_log_level(LogLevel.DEBUG).",
        call: |log, arguments, vm| write(log, "debug", arguments, Level::Debug, vm),
    },
    Function {
        name: "info",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a message to the log.",
        call: |log, arguments, vm| write(log, "info", arguments, Level::Info, vm),
    },
    Function {
        name: "warning",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes a warning to the log.",
        call: |log, arguments, vm| write(log, "warning", arguments, Level::Warning, vm),
    },
    Function {
        name: "error",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes an error to the log and ends the test, which has failed.",
        call: |log, arguments, vm| {
            write(log, "error", arguments, Level::Error, vm)?;
            let class = vm.ctx.exceptions.system_exit.to_owned();
            Err(vm.new_exception(class, vec![vm.ctx.new_int(1).into()]))
        },
    },
    Function {
        name: "log_test_error",
        params: LEVEL_PARAMS,
        returns: "None",
        doc: "Writes an error to the log.",
        call: |log, arguments, vm| write(log, "log_test_error", arguments, Level::Error, vm),
    },
    Function {
        name: "log_serial",
        params: &[
            Param::required("message", "str"),
            Param::required("machine", "str"),
        ],
        returns: "None",
        doc: "Writes a message to the log as if it were a line of a machine's serial console.",
        call: |log, arguments, vm| {
            let machine = arguments.text("machine", vm)?;
            let text = format!("# {}", arguments.text("message", vm)?);
            session(log, vm)?.message(Level::Info, Some(&machine), text);
            pass_on(log, "log_serial", arguments, &["message", "machine"], vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "print_serial_logs",
        params: &[Param::required("enable", "bool")],
        returns: "None",
        doc: "Says whether the lines of the serial consoles are shown in the log.",
        call: |log, arguments, vm| {
            let on = arguments.flag("enable", vm)?;
            session(log, vm)?.driver().show_consoles(on);
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "set_log_level",
        params: &[Param::required("level", "LogLevel | int")],
        returns: "None",
        doc: "Has the script's messages below a level count as details: 1 debug, 2 info (the default), 3 warning, 4 error.",
        call: |log, arguments, vm| {
            let level = arguments
                .get("level")
                .try_index(vm)?
                .try_to_primitive::<i64>(vm)?;
            session(log, vm)?.set_log_level(match level {
                ..=1 => Level::Debug,
                2 => Level::Info,
                3 => Level::Warning,
                4.. => Level::Error,
            });
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "add_logger",
        params: &[Param::required("logger", "Any")],
        returns: "None",
        doc: "Has an object of the script's own get what it logs, too: its methods of the same names are called.",
        call: |log, arguments, vm| {
            let list = log.get_attr("logger_list", vm)?;
            vm.call_method(&list, "append", (arguments.get("logger").clone(),))
        },
    },
    Function {
        name: "nested",
        params: &[Param::required("message", "str"), attributes()],
        returns: "AbstractContextManager[None]",
        doc: "A context manager, and a decorator, that shows its block in the log as a step.",
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
        doc: "A context manager, and a decorator, that shows its block as a test of its own.",
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

/// Writes the first argument, as the original does. The second, or the keyword `attributes`, may name the machine; so may a
/// keyword of its own.
fn write(
    log: &PyObject,
    method: &'static str,
    arguments: &Arguments,
    level: Level,
    vm: &VirtualMachine,
) -> PyResult {
    let Some(message) = arguments.rest().first() else {
        return Err(vm.new_type_error("missing the message"));
    };
    let keywords: PyDictRef = arguments.get("kwargs").clone().try_into_value(vm)?;
    let attributes = match arguments.rest().get(1) {
        Some(attributes) => attributes.clone(),
        None => vm.unwrap_or_none(keywords.get_item_opt("attributes", vm)?),
    };
    let machine = match entry(&attributes, "machine", vm)? {
        Some(machine) => Some(machine),
        None => arguments.entry("kwargs", "machine", vm)?,
    };
    let session = session(log, vm)?;
    session.message(
        session.shown_as(level),
        machine.as_deref(),
        text(message, vm)?,
    );
    for other in others(log, vm)? {
        let keywords: KwArgs = keywords
            .clone()
            .into_iter()
            .map(|(name, value)| Ok((text(&name, vm)?, value)))
            .collect::<PyResult<_>>()?;
        let given = FuncArgs::new(arguments.rest().to_vec(), keywords);
        other.get_attr(method, vm)?.call(given, vm)?;
    }
    Ok(vm.ctx.none())
}

/// Calls the same method of the script's own loggers.
fn pass_on(
    log: &PyObject,
    method: &'static str,
    arguments: &Arguments,
    names: &[&str],
    vm: &VirtualMachine,
) -> PyResult<()> {
    for other in others(log, vm)? {
        let given: Vec<_> = names
            .iter()
            .map(|name| arguments.get(name).clone())
            .collect();
        vm.call_method(&other, method, given)?;
    }
    Ok(())
}

fn others(log: &PyObject, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    log.get_attr("logger_list", vm)?.try_into_value(vm)
}

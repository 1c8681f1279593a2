//! The object `driver`, and the names that every script finds defined.

use std::sync::Arc;

use rustpython_vm::builtins::PyDictRef;
use rustpython_vm::class::{PyClassImpl, StaticType};
use rustpython_vm::compiler;
use rustpython_vm::compiler::Mode;
use rustpython_vm::{Py, PyObject, PyObjectRef, PyPayload, PyResult, VirtualMachine, pyclass};

use crate::api::{self, Class, Function, Literal, Param};
use crate::assertions::Assertions;
use crate::engine::Script;
use crate::log::{self, Log};
use crate::machine::Machine;
use crate::paths;
use crate::retry::{self, Try};
use crate::session::Session;
use crate::steps::Step;
use crate::vlan::Vlan;

/// The class as scripts see it.
pub(crate) const CLASS: Class = Class {
    name: "Driver",
    topics: &[FUNCTIONS],
    properties: &[],
};

/// Methods of the driver that are also plain functions in every script.
const GLOBAL_FUNCTIONS: &[&str] = &[
    "start_all",
    "join_all",
    "test_script",
    "run_tests",
    "subtest",
    "retry",
];

/// The object. Its lists of machines and VLANs are plain attributes: scripts add to them.
#[pyclass(module = "test_driver.driver", name = "Driver")]
#[derive(Debug, PyPayload)]
pub(crate) struct Driver {
    session: Arc<Session>,
    script: Script,
}

const FUNCTIONS: &[Function] = &[
    Function {
        name: "start_all",
        params: &[],
        returns: "None",
        doc: "Starts all machines, without waiting for them to boot.",
        call: |driver, _arguments, vm| {
            let step = "start all VMs";
            for_each_machine(driver, step, vm, |machine| {
                vm.call_method(machine, "start", ())
            })
        },
    },
    Function {
        name: "join_all",
        params: &[],
        returns: "None",
        doc: "Waits until all machines have powered off.",
        call: |driver, _arguments, vm| {
            for_each_machine(driver, "wait for all VMs to finish", vm, |machine| {
                vm.call_method(machine, "wait_for_shutdown", ())
            })
        },
    },
    Function {
        name: "test_script",
        params: &[],
        returns: "None",
        doc: "Runs the test script.",
        call: |driver, _arguments, vm| {
            test_script(driver, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "run_tests",
        params: &[],
        returns: "None",
        doc: "Runs the test script and has the machines that are up write their data to disk.",
        call: |driver, _arguments, vm| {
            run_tests(driver, vm)?;
            Ok(vm.ctx.none())
        },
    },
    Function {
        name: "subtest",
        params: &[Param::required("name", "str")],
        returns: "AbstractContextManager[None]",
        doc: "A context manager that shows its block as a test of its own.",
        call: |driver, arguments, vm| {
            let name = arguments.text("name", vm)?;
            Ok(Step::subtest(&this(driver, vm)?.session, name, vm))
        },
    },
    Function {
        name: "retry",
        params: &[
            Param::required("fn", "Callable[[bool], bool]"),
            Param::optional("timeout_seconds", "Duration", Literal::Int(900)).formerly("timeout"),
        ],
        returns: "None",
        doc: "Calls a function until it returns true. Its argument says whether this is the last try.",
        call: |driver, arguments, vm| {
            let session = &this(driver, vm)?.session;
            let timeout = arguments.timeout("timeout_seconds", vm)?;
            retry::until(session, "", &timeout, vm, |last| {
                let result = arguments.get("fn").call((last,), vm)?;
                let holds = result.try_to_bool(vm)?;
                Ok(if holds {
                    Try::Done(())
                } else {
                    Try::NotYet(String::new())
                })
            })?;
            Ok(vm.ctx.none())
        },
    },
];

#[pyclass(flags(HAS_DICT))]
impl Driver {
    /// The directory that becomes the test's output, as a `pathlib.Path`.
    #[pygetset]
    fn out_dir(&self, vm: &VirtualMachine) -> PyResult {
        paths::to_python(self.session.driver().out_dir(), vm)
    }
}

impl Driver {
    /// Makes all classes ready for use and returns the object for one run.
    pub(crate) fn object(
        session: &Arc<Session>,
        script: Script,
        vm: &VirtualMachine,
    ) -> PyResult<PyObjectRef> {
        Self::make_static_type();
        Log::make_static_type();
        api::install(&CLASS, Self::static_type(), vm);
        Machine::make_classes(vm);
        api::install(&log::CLASS, Log::static_type(), vm);
        Vlan::make_static_type();
        Assertions::make_static_type();
        Step::make_static_type();

        let backend = session.driver();
        let machines = backend.machines().iter();
        let machines: PyResult<Vec<_>> = machines
            .map(|machine| Machine::linked(session, machine, vm))
            .collect();
        let vlans = backend
            .vlans()
            .iter()
            .map(|number| Vlan::object(*number, vm))
            .collect();
        let object: PyObjectRef = Self {
            session: Arc::clone(session),
            script,
        }
        .into_ref(&vm.ctx)
        .into();
        object.set_attr("machines", vm.ctx.new_list(machines?), vm)?;
        object.set_attr("vlans", vm.ctx.new_list(vlans), vm)?;
        object.set_attr("logger", Log::object(session, vm), vm)?;
        Ok(object)
    }
}

fn this<'a>(driver: &'a PyObject, vm: &VirtualMachine) -> PyResult<&'a Py<Driver>> {
    driver
        .downcast_ref()
        .ok_or_else(|| vm.new_type_error("expected a Driver"))
}

/// The objects in one of the driver's lists, as they are now.
fn list(driver: &PyObject, name: &'static str, vm: &VirtualMachine) -> PyResult<Vec<PyObjectRef>> {
    driver.get_attr(name, vm)?.try_into_value(vm)
}

fn for_each_machine(
    driver: &PyObject,
    step: &str,
    vm: &VirtualMachine,
    action: impl Fn(&PyObject) -> PyResult,
) -> PyResult {
    this(driver, vm)?.session.step(None, step, || {
        for machine in list(driver, "machines", vm)? {
            action(&machine)?;
        }
        Ok(vm.ctx.none())
    })
}

/// Runs the script, then has the machines write their data to disk.
pub(crate) fn run_tests(driver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    test_script(driver, vm)?;
    for machine in list(driver, "machines", vm)? {
        if vm.call_method(&machine, "is_up", ())?.try_to_bool(vm)? {
            vm.call_method(&machine, "execute", ("sync",))?;
        }
    }
    Ok(())
}

fn test_script(driver: &PyObject, vm: &VirtualMachine) -> PyResult<()> {
    let this = this(driver, vm)?;
    let Script { name, text } = &this.script;
    // Not `vm.compile`: that one also warns of every "\d" in a string.
    let code = compiler::compile(text, Mode::Exec, name, vm.compile_opts())
        .map_err(|error| vm.new_syntax_error(&error, Some(text)))?;
    this.session.step(None, "run the VM test script", || {
        let scope = vm.new_scope_with_main()?;
        define_symbols(driver, &scope.globals, vm)?;
        vm.run_code_obj(vm.ctx.new_code(code), scope).map(drop)
    })
}

/// Defines what a script finds defined. A machine's name wins over any other.
fn define_symbols(driver: &PyObject, globals: &PyDictRef, vm: &VirtualMachine) -> PyResult<()> {
    let set = |name: &str, value: PyObjectRef| globals.set_item(name, value, vm);
    for name in GLOBAL_FUNCTIONS.iter().copied() {
        set(name, driver.get_attr(name, vm)?)?;
    }
    for name in ["machines", "vlans"] {
        set(name, driver.get_attr(name, vm)?)?;
    }
    set("driver", driver.to_owned())?;
    set("log", driver.get_attr("logger", vm)?)?;
    set("os", vm.import("os", 0)?)?;
    set("t", Assertions::object(&this(driver, vm)?.session, vm))?;
    set("Machine", Machine::class(&vm.ctx).to_owned().into())?;

    for vlan in list(driver, "vlans", vm)? {
        let number = vlan.get_attr("nr", vm)?.str(vm)?;
        set(&format!("vlan{number}"), vlan)?;
    }
    let machines = list(driver, "machines", vm)?;
    if let [only] = machines.as_slice() {
        set("machine", only.clone())?;
    }
    for machine in machines {
        let name = machine.get_attr("name", vm)?.str(vm)?;
        set(&variable_name(&name.to_string_lossy()), machine)?;
    }
    Ok(())
}

/// The variable for a machine of this name: `_` stands for whatever Python does not allow there.
fn variable_name(name: &str) -> String {
    let allowed = |(index, c): (usize, char)| {
        let digit = c.is_ascii_digit() && index > 0;
        if c.is_ascii_alphabetic() || c == '_' || digit {
            c
        } else {
            '_'
        }
    };
    name.chars().enumerate().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use super::variable_name;

    #[test]
    fn names_become_variables() {
        let cases = [
            ("web-1", "web_1"),
            ("9lives", "_lives"),
            ("a.b c", "a_b_c"),
            ("_x9", "_x9"),
            ("ü", "_"),
        ];
        for (name, variable) in cases {
            assert_eq!(variable_name(name), variable);
        }
    }
}

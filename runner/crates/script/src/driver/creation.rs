//! Machines that a script makes.

use rustpython_vm::builtins::{PyDict, PyDictRef};
use rustpython_vm::{PyObject, PyObjectRef, PyResult, VirtualMachine};

use super::this;
use crate::arguments::{Arguments, text};
use crate::backend::NewMachine;
use crate::machine::Machine;
use crate::modules;

/// `create_machine`
pub(super) fn create_machine(
    driver: &PyObject,
    arguments: &Arguments,
    vm: &VirtualMachine,
) -> PyResult {
    let session = &this(driver, vm)?.session;
    let command = arguments.get("start_command");
    let mut machine = NewMachine {
        name: arguments.optional_text("name", vm)?,
        start_command: String::new(),
        keep_state: arguments.flag("keep_machine_state", vm)?,
    };
    let mut allow_reboot = false;
    if let Some(options) = command.downcast_ref::<PyDict>() {
        session.warn_once(
            "create_machine() with a dictionary is deprecated: give the start command and keywords",
        );
        let option = |name| Options(options.to_owned()).get(name, vm);
        let start_command = modules::import_from("test_driver.machine", "start_command_of", vm)?;
        machine.start_command = text(&start_command.call((command.clone(),), vm)?, vm)?;
        if let Some(name) = option("name")?
            && machine.name.is_none()
        {
            machine.name = Some(text(&name, vm)?);
        }
        for name in ["keep_vm_state", "keep_machine_state"] {
            if let Some(keep) = option(name)? {
                machine.keep_state |= keep.try_to_bool(vm)?;
            }
        }
        if let Some(allow) = option("allow_reboot")? {
            allow_reboot = allow.try_to_bool(vm)?;
        }
    } else {
        machine.start_command = arguments.text("start_command", vm)?;
    }
    let backend = session.call(vm, || session.driver().create_machine(&machine))?;
    let object = Machine::linked(session, &backend, vm)?;
    object.set_attr(
        "start_command",
        vm.ctx.new_str(machine.start_command.as_str()),
        vm,
    )?;
    object.set_attr(
        "keep_machine_state",
        vm.ctx.new_bool(machine.keep_state),
        vm,
    )?;
    if allow_reboot {
        object.set_attr("allow_reboot", vm.ctx.new_bool(true), vm)?;
    }
    Ok(object)
}

/// What `create_machine` took until 2023.
struct Options(PyDictRef);

impl Options {
    fn get(&self, name: &str, vm: &VirtualMachine) -> PyResult<Option<PyObjectRef>> {
        Ok(self
            .0
            .get_item_opt(name, vm)?
            .filter(|value| !vm.is_none(value)))
    }
}
